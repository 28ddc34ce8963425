# The installer image. It copies the programs of dockersh onto the host:
#
#	docker build -t dockersh-install .
#	docker run --rm -v /usr/local/bin:/target dockersh-install
#
# dist/image/install describes its arguments and other mounts. A plain
# `docker build .` compiles in the image BUILDER. `make image BASE=...` compiles
# on the host instead, and needs no registry, only a local BASE with a shell.
ARG BUILDER=golang:1.26
ARG BASE=busybox

FROM ${BUILDER} AS build
# The directory of the host that will be mounted at /target.
ARG BINDIR=/usr/local/bin
COPY . /src
WORKDIR /src
RUN [ -d dockersh ] || make image-root IMAGEDIR=. IMAGEBIN="$BINDIR"

FROM ${BASE}
COPY --from=build /src/dockersh /dockersh
ENTRYPOINT ["sh", "/dockersh/install"]
