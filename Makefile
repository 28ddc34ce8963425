# dockersh: a login shell that puts users into containers. `make help` lists the targets.

PREFIX  ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
ETC     ?= /etc
RUN     ?= /run/dockersh
LOG     ?= /var/log/dockersh
DESTDIR ?=
BIN     ?= bin
ARCHS   ?= amd64 arm64
GO      ?= $(or $(shell command -v go),/usr/local/go/bin/go)
# What all programs print as their version: a package's is the number alone.
VERSION ?= $(shell sed -n '/^\#\# /{s///p;q}' NEWS.md)$(shell git rev-parse --short HEAD 2>/dev/null | sed 's/^/+/')
FUZZTIME ?= 10s
TESTFLAGS ?=
BENCHFLAGS ?=
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

PROGRAMS = dockershd dockershd-session dockersh-init dockersh-files dockershctl dockersh-bridge
PATHS    = github.com/dockersh/dockersh/internal/host/paths
LDFLAGS  = -s -w -X $(PATHS).Bin=$(BINDIR) -X $(PATHS).Sbin=$(SBINDIR) -X $(PATHS).Libexec=$(LIBEXECDIR) \
           -X $(PATHS).Etc=$(ETC) -X $(PATHS).Run=$(RUN) -X $(PATHS).Log=$(LOG) \
           -X github.com/dockersh/dockersh/internal/host/version.number=$(VERSION)
LIBEXEC  = $(DESTDIR)$(LIBEXECDIR)/dockersh
SHARE    = $(DESTDIR)$(PREFIX)/share
UNITS    = $(DESTDIR)$(PREFIX)/lib/systemd/system
ROTATE   = $(DESTDIR)$(ETC)/logrotate.d/dockersh

# The programs in C: the login shell, and the PAM module for sshd.
CC      ?= cc
CFLAGS  ?= -O2
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
HARDEN   = -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LINK     = -s -Wl,-z,relro,-z,now,-z,noexecstack

# The login shell is static: it starts faster, and may be setuid root. With musl, where it is
# installed, it starts faster still: glibc first asks the processor for its features, and in a
# virtual machine each answer takes the host some microseconds (docs/performance.md).
FRONTCC ?= $(or $(and $(filter cc,$(CC)),$(shell command -v musl-gcc)),$(CC))
ifeq ($(notdir $(FRONTCC)),musl-gcc) # which knows neither linux/*.h nor -static-pie
STATIC   = -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch) \
           -static -nostartfiles -l:rcrt1.o -Wl,-pie,--no-dynamic-linker,-z,text
else
STATIC   = -static-pie
endif
FRONTFLAGS = -std=c11 -fPIE $(HARDEN) $(WARN) -DRUN_DIR='"$(RUN)"' -DLIBEXEC_DIR='"$(LIBEXECDIR)"'

# The PAM module: built where libpam and its headers are, and installed where this host has its other
# modules. Everything but the network of ssh connections works without.
PAMDIR  ?= $(patsubst %/,%,$(dir $(firstword $(wildcard /lib/*/security/pam_unix.so /lib64/security/pam_unix.so /usr/lib/security/pam_unix.so))))
PAMFLAGS = -std=c11 -fPIC -fvisibility=hidden $(HARDEN) $(WARN) -DSOCKET_PATH='"$(RUN)/dockershd.sock"' -DFRONT_PATH='"$(BINDIR)/dockersh"'
PAMLINK  = -shared $(LINK),-z,defs
HAVEPAM  = $(shell printf '\043include <security/pam_modules.h>\nint main(void) { return 0; }\n' | $(CC) -x c - -o /dev/null -lpam 2>/dev/null && echo yes)

.DEFAULT_GOAL = help
.PHONY: help build front pam install uninstall install-shell install-setuid image image-root demo deps test check unit e2e e2e-first e2e-rest e2e-others e2e-doors e2e-ready e2e-programs trixie bench packages packages-test vm lint fuzz test-kubernetes bench-kubernetes clean build-pods install-pods

help: ## list the targets
	@echo 'dockersh: a login shell that puts users into containers'
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done
	@echo 'PREFIX=$(PREFIX) DESTDIR=$(DESTDIR); deps, test, e2e, bench and demo need root (sudo make ...)'

build: ## build the programs, static, in ./bin
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ $(PROGRAMS:%=./cmd/%)
	@$(MAKE) -s front pam

front: # the login shell
	@$(FRONTCC) $(CPPFLAGS) $(CFLAGS) $(FRONTFLAGS) -DVERSION='"$(VERSION)"' $(STATIC) $(LINK) -o $(BIN)/dockersh front/*.c || \
		{ echo 'make: error: $(FRONTCC) does not build dockersh: it takes a C compiler and a static libc (apt-get install gcc musl-tools libc6-dev)' >&2; exit 1; }

pam: # the PAM module, if that can be built here
	@mkdir -p $(BIN)
	@rm -f $(BIN)/pam_dockersh.so
	@if [ -n '$(HAVEPAM)' ]; then $(CC) $(CPPFLAGS) $(CFLAGS) $(PAMFLAGS) $(PAMLINK) -o $(BIN)/pam_dockersh.so \
		pam/pam_dockersh.c pam/answer.c -lpam; \
	else echo 'make: pam_dockersh.so is left out: it takes a C compiler and the headers of libpam (libpam0g-dev)' >&2; fi

install: build ## install programs, manual pages, completions, units and examples below PREFIX
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) $(LIBEXEC) $(LIBEXEC)/run
	install -m 755 $(BIN)/dockersh $(BIN)/dockershctl $(DESTDIR)$(BINDIR)
	install -m 755 $(BIN)/dockershd $(DESTDIR)$(SBINDIR)
	install -m 755 $(BIN)/dockersh-init $(BIN)/dockersh-files $(LIBEXEC)
	install -m 755 $(BIN)/dockersh-bridge $(BIN)/dockershd-session $(DESTDIR)$(LIBEXECDIR)
	if [ -e $(BIN)/pam_dockersh.so ] && [ -n '$(PAMDIR)' ]; then install -D -m 644 $(BIN)/pam_dockersh.so $(DESTDIR)$(PAMDIR)/pam_dockersh.so; fi
	set -e; for page in docs/man/*.[1-8]; do [ -e "$$page" ] || continue; \
		dir=$(SHARE)/man/man$${page##*.}; install -d "$$dir"; install -m 644 "$$page" "$$dir"; done
	install -d $(SHARE)/doc/dockersh/docs/design $(SHARE)/doc/dockersh/examples $(UNITS)
	install -m 644 *.md $(SHARE)/doc/dockersh
	install -m 644 docs/*.md docs/*.svg $(SHARE)/doc/dockersh/docs
	install -m 644 docs/design/*.md $(SHARE)/doc/dockersh/docs/design
	ln -sfn ../examples $(SHARE)/doc/dockersh/docs/examples
	install -m 644 docs/examples/*.dockershrc $(SHARE)/doc/dockersh/examples
	install -D -m 644 -t $(SHARE)/doc/dockersh/prometheus dist/prometheus/*
	set -e; for unit in dist/systemd/*; do sed 's|@BINDIR@|$(BINDIR)|g; s|@SBINDIR@|$(SBINDIR)|g; s|@RUN@|$(RUN)|g; s|@LOG@|$(LOG)|g' "$$unit" >$(UNITS)/$${unit##*/}; \
		chmod 644 $(UNITS)/$${unit##*/}; done
	@[ -e $(ROTATE) ] || { install -d $(dir $(ROTATE)); sed 's|@LOG@|$(LOG)|g' dist/logrotate/dockersh >$(ROTATE); chmod 644 $(ROTATE); }
	install -D -m 644 dist/completion/dockershctl.bash $(SHARE)/bash-completion/completions/dockershctl
	install -D -m 644 dist/completion/_dockershctl $(SHARE)/zsh/site-functions/_dockershctl
	install -D -m 644 dist/completion/dockershctl.fish $(SHARE)/fish/vendor_completions.d/dockershctl.fish

uninstall: ## remove what install installed; settings and containers stay
	@[ -n '$(DESTDIR)' ] || sed 's|/usr/bin/dockersh|$(BINDIR)/dockersh|g; s|/var/log/dockersh|$(LOG)|g' dist/packages/refuse | sh
	@[ -n '$(DESTDIR)' ] || [ ! -d /run/systemd/system ] || [ ! -e $(UNITS)/dockershd.socket ] || systemctl -q disable --now dockershd.socket dockershd.service dockersh-metrics.timer dockersh-metrics.service
	@[ -n '$(DESTDIR)' ] || rm -f /var/lib/prometheus/node-exporter/dockersh.prom
	@[ ! -e $(DESTDIR)/etc/shells ] || sed -i '\|^$(BINDIR)/dockersh$$|d' $(DESTDIR)/etc/shells
	rm -f $(DESTDIR)$(BINDIR)/dockersh $(DESTDIR)$(BINDIR)/dockershctl $(DESTDIR)$(SBINDIR)/dockershd
	rm -rf $(LIBEXEC) $(addprefix $(DESTDIR)$(LIBEXECDIR)/,dockersh-bridge dockershd-session dockershd-pods) $(SHARE)/doc/dockersh
	rm -f $(foreach page,$(notdir $(wildcard docs/man/*.[1-8])),$(SHARE)/man/man$(patsubst .%,%,$(suffix $(page)))/$(page))
	rm -f $(SHARE)/bash-completion/completions/dockershctl $(SHARE)/zsh/site-functions/_dockershctl $(SHARE)/fish/vendor_completions.d/dockershctl.fish
	@sed 's|@LOG@|$(LOG)|g' dist/logrotate/dockersh | cmp -s - $(ROTATE) && rm -f $(ROTATE) || [ ! -e $(ROTATE) ] || echo 'make: $(ROTATE) stays: it was changed' >&2
	@if grep -Rqs '^[^#]*pam_dockersh' $(addprefix $(DESTDIR),/etc/pam.d /etc/pam.conf /usr/lib/pam.d); then \
		echo 'make: pam_dockersh.so stays: /etc/pam.d or /etc/pam.conf names it, and without it nobody could log in' >&2; \
	elif [ -n '$(PAMDIR)' ]; then rm -f $(DESTDIR)$(PAMDIR)/pam_dockersh.so; fi
	rm -f $(foreach unit,$(notdir $(wildcard dist/systemd/*)),$(UNITS)/$(unit))

build-pods: ## build what Kubernetes clusters take, in ./bin
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/dockershd-pods ./cmd/dockersh-podinit

install-pods: build-pods ## install it, for dockersocket = kubernetes://NAMESPACE
	install -D -m 755 $(BIN)/dockershd-pods $(DESTDIR)$(LIBEXECDIR)/dockershd-pods
	install -D -m 755 $(BIN)/dockersh-podinit $(LIBEXEC)/dockersh-podinit
	install -D -m 644 -t $(SHARE)/doc/dockersh/kubernetes dist/kubernetes/*

install-shell: ## add dockersh to /etc/shells, so that chsh accepts it
	grep -qxF '$(BINDIR)/dockersh' $(DESTDIR)/etc/shells || { [ -z "$$(tail -c 1 $(DESTDIR)/etc/shells)" ] || echo >>$(DESTDIR)/etc/shells; \
		echo '$(BINDIR)/dockersh' >>$(DESTDIR)/etc/shells; }

# The installer image. It installs into one directory of the host, which is mounted at
# /target: all programs and their files lie below it.
IMAGE     ?= dockersh-install
BASE      ?= busybox
IMAGEDIR  ?= build/image
IMAGEBIN  ?= /usr/local/bin

image: ## build the installer image IMAGE, with programs built here, on the local image BASE
	rm -rf $(IMAGEDIR)
	@$(MAKE) -s image-root
	cp Dockerfile $(IMAGEDIR)
	docker build -t $(IMAGE) --build-arg BUILDER=$(BASE) --build-arg BASE=$(BASE) $(IMAGEDIR)

image-root: # the files of the image
	@$(MAKE) -s install BIN=$(IMAGEDIR)/bin DESTDIR=$(abspath $(IMAGEDIR))/dockersh/root PREFIX=/usr/local \
		BINDIR=$(IMAGEBIN) SBINDIR=$(IMAGEBIN) LIBEXECDIR=$(IMAGEBIN)/dockersh.d PAMDIR=
	rm -rf $(IMAGEDIR)/bin
	install -m 755 dist/image/install $(IMAGEDIR)/dockersh
	echo '$(IMAGEBIN)' >$(IMAGEDIR)/dockersh/bindir

packages: ## build .deb and .rpm packages for the processors ARCHS in ./build/packages
	@GO='$(GO)' MAKE='$(MAKE)' sh scripts/packages build/packages $(ARCHS)

packages-test: ## install, upgrade and remove the packages, here and on Debian 13; try the pages that use them
	@sh scripts/need tests
	@sh scripts/need packages
	@sh scripts/images build/images busybox trixie
	@$(MAKE) -s packages ARCHS=amd64
	sh scripts/apart sh scripts/packages-lint build/packages
	@GO='$(GO)' MAKE='$(MAKE)' VERSION=999.0.0 sh scripts/packages build/packages/next amd64 >/dev/null
	sh scripts/inside sh scripts/packages-test build/packages
	sh scripts/inside sh scripts/packages-test build/packages rpm
	sh scripts/trixie scripts/inside sh scripts/packages-test build/packages
	set -e; for page in trainers universities jumphosts; do for on in sh 'sh scripts/trixie sh'; do \
		$$on scripts/inside sh scripts/pages-test build/packages docs/$$page.md; done; done

vm: ## boot a Debian 13 machine under emulation, and check the packages in it (test/vm)
	@sh scripts/images build/images busybox
	@$(MAKE) -s packages ARCHS=amd64 >/dev/null
	@GO='$(GO)' MAKE='$(MAKE)' VERSION=999.0.0 sh scripts/packages build/packages/next amd64 >/dev/null
	@sh test/vm/machine build/vm
	sh test/vm/run build/vm build/packages build/images

install-setuid: ## make dockersh setuid, so that it starts its broker without the service
	chown root:root $(DESTDIR)$(BINDIR)/dockersh
	chmod 4755 $(DESTDIR)$(BINDIR)/dockersh

demo: ## log in over SSH into a container, with nothing prepared
	@GO='$(GO)' sh scripts/demo

deps: ## install the Debian packages that tests and demo need
	@sh scripts/need tests

test: deps check unit e2e ## run everything that must pass: check, unit and e2e

check: ## run go vet, for arm64 too, build for arm64, and run gofmt
	$(GO) vet ./...
	$(GO) vet -tags 'e2e bench kubernetes whole' ./...
	GOARCH=arm64 $(GO) vet ./...
	GOARCH=arm64 $(GO) vet -tags 'e2e bench kubernetes whole' ./...
	GOARCH=arm64 $(GO) build ./cmd/...
	@bad=$$(gofmt -l cmd internal test *.go 2>/dev/null); [ -z "$$bad" ] || { echo "gofmt: $$bad"; exit 1; }

unit: ## run the unit tests, with the race detector
	$(GO) test -race $(TESTFLAGS) ./...

# The end-to-end tests run apart from the host, and the three lanes apart from each
# other: see scripts/apart. Tests wait more than they work, so the lanes run at the
# same time. A lane starts one engine and runs its folders in it one by one: `go test`
# itself runs inside. Which doors a test goes through stands in its first line
# (test/e2e/lanes.go); test/e2e/lanes_test.go checks that nothing falls out here.
# As root who logged in over ssh: nothing of that login may count inside.
INSIDE  = env XDG_RUNTIME_DIR=/run/user/0 SSH_TTY=/dev/pts/0 sh $(CURDIR)/scripts/inside
E2E     = $(GO) test -count=1 -p 1 -vet=off -ldflags=-w -timeout 40m -tags e2e
FOLDERS = $(filter-out ./test/e2e/bench,$(patsubst %/,./%,$(wildcard test/e2e/*/)))
FIRST   = $(addprefix ./test/e2e/,engines faults identity session)
REST    = $(filter-out $(FIRST),$(FOLDERS))

e2e: e2e-ready ## run the end-to-end tests
	@$(MAKE) -s -j3 --output-sync=target e2e-first e2e-rest e2e-others

e2e-first:
	$(INSIDE) $(E2E) -race $(TESTFLAGS) $(FIRST)

e2e-rest:
	$(INSIDE) $(E2E) -race $(TESTFLAGS) $(REST)

e2e-others:
	$(INSIDE) sh -ec 'DOOR=setuid DIFFERING=1 $(E2E) $(TESTFLAGS) $(FOLDERS); DOOR=direct DIFFERING=1 $(E2E) $(TESTFLAGS) $(FOLDERS)'
	$(INSIDE) $(E2E) -race $(TESTFLAGS) ./internal/engine/...

e2e-doors: e2e-ready ## run all end-to-end tests that can go through the setuid or the direct door
	$(INSIDE) sh -ec 'DOOR=setuid $(E2E) $(TESTFLAGS) $(FOLDERS); DOOR=direct $(E2E) $(TESTFLAGS) $(FOLDERS)'

e2e-ready: # what the tests need inside, where there is no network: images, programs, modules
	@sh scripts/images build/images
	@$(MAKE) -s e2e-programs
	@$(GO) list -deps -test -tags 'e2e bench' ./... >/dev/null

e2e-programs: # as the tests install them: owned by root, short paths
	@$(MAKE) -s install BIN=build/e2e/bin DESTDIR=$(CURDIR)/build/e2e PREFIX=/run/dsh PAMDIR=/run/dsh/security CFLAGS='-O2 -Werror' ETC=/etc RUN=/run/dockersh

# A real API server, which is built once and kept.
KUBERNETES ?= build/kubernetes
# The folders whose tests run with pods of a whole cluster as well, but for what test/e2e/not-in-pods.txt has.
PODFOLDERS = kubernetes session terminal files forward
test-kubernetes: ## run the tests against a Kubernetes, which is built once in ./build/kubernetes
	@GO='$(GO)' sh scripts/kubernetes '$(KUBERNETES)'
	CLUSTER='$(abspath $(KUBERNETES))/cluster' $(GO) test -count=1 -race -tags kubernetes $(TESTFLAGS) ./internal/engine/kubernetes
	@$(MAKE) -s e2e-ready
	@$(MAKE) -s install-pods BIN=build/e2e/bin DESTDIR=$(CURDIR)/build/e2e PREFIX=/run/dsh ETC=/etc RUN=/run/dockersh
	CLUSTER='$(abspath $(KUBERNETES))/cluster' $(INSIDE) $(E2E) -race -tags 'e2e kubernetes' $(TESTFLAGS) ./test/e2e/kubernetes
	WHOLE='$(abspath $(KUBERNETES))/whole' $(INSIDE) $(E2E) -race -tags 'e2e kubernetes whole' $(TESTFLAGS) $(addprefix ./test/e2e/,$(PODFOLDERS))

bench-kubernetes: # the budgets of pods, beside client-go and kubectl
	@GO='$(GO)' sh scripts/kubernetes '$(KUBERNETES)'
	WHOLE='$(abspath $(KUBERNETES))/whole' $(GO) test -count=1 -timeout 60m -tags 'e2e bench kubernetes' -exec '$(INSIDE)' -v -run TestPodBudgets $(BENCHFLAGS) ./test/e2e/bench

# The tests of what depends on sshd, in turn: `make trixie FOLDERS=./test/e2e/session` runs others.
trixie: FOLDERS = $(addprefix ./test/e2e/,network forward doctor identity)
trixie: ## run the end-to-end tests of connections on Debian 13 (OpenSSH 10)
	@sh scripts/images build/images busybox debian trixie
	@$(MAKE) -s e2e-programs
	$(E2E) -race -exec 'sh $(CURDIR)/scripts/trixie $(INSIDE)' $(TESTFLAGS) $(FOLDERS)

bench: ## measure the table of budgets: our figure, the other, ratio, bound
	@sh scripts/need
	@$(MAKE) -s e2e-ready
	$(GO) test -count=1 -timeout 60m -tags 'e2e bench' -exec '$(INSIDE)' -v $(BENCHFLAGS) ./test/e2e/bench

lint: ## run golangci-lint, pinned, with .golangci.yml
	@[ -x bin/golangci-lint ] || GOBIN=$(CURDIR)/bin $(GO) install $(GOLANGCI)
	bin/golangci-lint run ./...

fuzz: ## run each fuzz target for FUZZTIME
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n 1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$dir/*_test.go); do \
			echo "$$dir $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$dir; done; done

clean: ## remove what was built here
	rm -rf bin build
