package docker

import (
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

func TestImageHasItsNamesInFullAndInShort(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for ref, want := range map[string][]string{
		"busybox":                         {"busybox", "busybox:latest", "docker.io/library/busybox", "docker.io/library/busybox:latest"},
		"docker.io/library/busybox":       {"busybox", "busybox:latest", "docker.io/library/busybox", "docker.io/library/busybox:latest"},
		"debian:12":                       {"debian:12", "docker.io/library/debian:12"},
		"a/b:1":                           {"a/b:1", "docker.io/a/b:1"},
		"r.example:5000/a/b":              {"r.example:5000/a/b", "r.example:5000/a/b:latest"},
		"busybox" + digest:                {"busybox" + digest, "docker.io/library/busybox" + digest},
		"busybox:latest" + digest:         {"busybox:latest" + digest, "docker.io/library/busybox:latest" + digest},
		strings.Repeat("a", 64):           {strings.Repeat("a", 64)},
		"localhost/busybox:1":             {"localhost/busybox:1"},
		"index.docker.io/library/busybox": {"busybox", "busybox:latest", "docker.io/library/busybox", "docker.io/library/busybox:latest"},
	} {
		if got := imageNames(&dialect.Docker, ref); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
	if got, want := imageNames(&dialect.Podman, "localhost/x"), []string{"localhost/x", "localhost/x:latest", "x", "x:latest"}; !slices.Equal(got, want) {
		t.Errorf("in Podman: %q, want %q", got, want)
	}
}
