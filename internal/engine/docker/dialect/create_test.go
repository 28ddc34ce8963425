package dialect

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

// full is a description with every field set.
func full() engine.Spec {
	return engine.Spec{
		Name: "alice_dockersh", Image: "debian:12", Hostname: "box",
		UID: 1000, GID: 100, Groups: []uint32{100, 27},
		Labels:  map[string]string{"b": "2", "a": "1=1"},
		Mounts:  []engine.Mount{{Source: "/home/a,b", Target: `/home/"q"`, ReadOnly: true}, {Source: "/s", Target: "/t"}},
		Volumes: []string{"/srv:/srv:ro"}, Env: []string{"A=b c", "-n"},
		Network: "none", Memory: "32m", ShmSize: "16777216", CPUs: "1.5", PidsLimit: 7,
		CapDrop: []string{"SETUID", "MKNOD"}, CapAdd: []string{"CHOWN"},
		NoNewPrivileges: true, Entrypoint: "/.dockersh/dockersh-init", Cmd: []string{"-x", "--"},
		QuietLog: true, Options: []string{"-m", "64m", "--init"},
	}
}

func TestCreateCommandHasAllOfTheDescription(t *testing.T) {
	want := []string{
		"-m", "64m", "--init",
		"--label=a=1=1", "--label=b=2", "--pull=never", "--name=alice_dockersh", "--hostname=box", "--user=1000:100",
		"--group-add=100", "--group-add=27",
		`--mount=type=bind,"source=/home/a,b","target=/home/""q""",readonly`, "--mount=type=bind,source=/s,target=/t",
		"--volume=/srv:/srv:ro", "--env=A=b c", "--env=-n", "--network=none", "--memory=32m", "--shm-size=16777216", "--cpus=1.5",
		"--pids-limit=7", "--cap-drop=SETUID", "--cap-drop=MKNOD", "--cap-add=CHOWN",
		"--security-opt=no-new-privileges", "--log-driver=none", "--entrypoint=/.dockersh/dockersh-init",
		"--", "debian:12", "-x", "--",
	}
	if got := Docker.createArgs(full()); !slices.Equal(got, want) {
		t.Errorf("got\n %q\nwant\n %q", got, want)
	}
}

func TestCreateCommandHasNothingElse(t *testing.T) {
	want := []string{"docker", "create", "--pull=never", "--name=n", "--user=0:0", "--", "i"}
	if got := Docker.Command(engine.Spec{Name: "n", Image: "i"}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOwnNetworkIsThatOfTheEngine(t *testing.T) {
	s := engine.Spec{Name: "n", Image: "i", OwnNetwork: true}
	for d, want := range map[*Dialect]string{&Docker: "--network=dockersh", &Podman: "--network=dockersh-n", &RootlessPodman: ""} {
		got := d.createArgs(s)
		at := slices.IndexFunc(got, func(word string) bool { return strings.HasPrefix(word, "--network") })
		if at < 0 && want != "" || at >= 0 && got[at] != want {
			t.Errorf("%s: %q, want %q", d.Name, got, want)
		}
	}
}

func TestUserFirstLetsOptionsNameAnotherUser(t *testing.T) {
	got := Docker.createArgs(engine.Spec{Name: "n", Image: "i", UID: 5, GID: 6, UserFirst: true, Options: []string{"--user=root"}})
	want := []string{"--user=5:6", "--user=root", "--pull=never", "--name=n", "--", "i"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestForeignImageAsksTheEngineForNothing(t *testing.T) {
	s := engine.Spec{Name: "n", Image: "i", ForeignImage: true, NoHealthCheck: true, Volumes: []string{"/srv:/srv:ro", "/data", "cache:/cache", "cache:/more:ro"}}
	want := []string{"--pull=never", "--name=n", "--user=0:0", "--volume=/srv:/srv:ro", "--volume=/data", "--volume=cache:/cache:nocopy",
		"--volume=cache:/more:ro,nocopy", "--no-healthcheck", "--workdir=/", "--", "i"}
	if got := Docker.createArgs(s); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzMountIsReadBackAsItWasWritten(f *testing.F) {
	for _, p := range []string{"/plain", "/a,b", `/a"b`, `/",readonly=false,"`, "/a=b", "/ b", "/ä€", "/target=/etc"} {
		f.Add(p, p+"2", true)
	}
	f.Fuzz(func(t *testing.T, source, target string, readOnly bool) {
		m := engine.Mount{Source: source, Target: target, ReadOnly: readOnly}
		if Docker.Check(engine.Spec{Name: "n", Image: "i", Mounts: []engine.Mount{m}}) != nil {
			return
		}
		want := []string{"type=bind", "source=" + source, "target=" + target}
		if readOnly {
			want = append(want, "readonly")
		}
		got, err := csv.NewReader(strings.NewReader(mountValue(m))).Read() // as the command line reads it
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("written %q, read %q %v", mountValue(m), got, err)
		}
	})
}

func TestDescriptionThatNoCommandLineCanCarryIsRefused(t *testing.T) {
	ok := engine.Spec{Name: "n", Image: "debian:12", Labels: map[string]string{engine.LabelVolumes: "a b"},
		Volumes: []string{"a:/data", "b:/b:ro", "shared:/s:suid,nocopy"}}
	if err := Docker.Check(ok); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	for what, c := range map[string]struct {
		change func(*engine.Spec)
		want   error
	}{
		"an empty name":       {func(s *engine.Spec) { s.Name = "" }, engine.ErrOption},
		"a path as name":      {func(s *engine.Spec) { s.Name = "../x" }, engine.ErrOption},
		"a flag as name":      {func(s *engine.Spec) { s.Name = "-rm" }, engine.ErrOption},
		"a flag as image":     {func(s *engine.Spec) { s.Image = "--privileged" }, engine.ErrNoImage},
		"a path as image":     {func(s *engine.Spec) { s.Image = "../containers/x" }, engine.ErrNoImage},
		"no image":            {func(s *engine.Spec) { s.Image = "" }, engine.ErrNoImage},
		"a relative source":   {func(s *engine.Spec) { s.Mounts = []engine.Mount{{Source: "a", Target: "/b"}} }, engine.ErrOption},
		"a newline in a path": {func(s *engine.Spec) { s.Mounts = []engine.Mount{{Source: "/a\nb", Target: "/b"}} }, engine.ErrOption},
		"options in the place of a volume of the image": {func(s *engine.Spec) {
			s.Labels = map[string]string{engine.LabelVolumes: "b a"}
			s.Volumes = []string{"b:/data:ro", "a:/data:O,upperdir=/etc"}
		}, engine.ErrOption},
		"a zero byte": {func(s *engine.Spec) { s.Env = []string{"A=\x00"} }, engine.ErrOption},
	} {
		s := ok
		c.change(&s)
		if err := Docker.Check(s); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", what, err, c.want)
		}
	}
}

func TestPodmanGetsItsOwnOptions(t *testing.T) {
	s := engine.Spec{Name: "n", Image: "i", UID: 5, GID: 6, CappedLog: true, Options: []string{"--log-driver=journald"}}
	want := []string{
		"--log-driver=k8s-file", "--log-opt=max-size=10mb", "--log-driver=journald", "--pull=never", "--name=n", "--user=5:6",
		"--pids-limit=-1", "--", "i",
	}
	if got := Podman.createArgs(s); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	want = []string{"--log-driver=local", "--log-driver=journald", "--pull=never", "--name=n", "--user=5:6", "--", "i"}
	if got := Docker.createArgs(s); !slices.Equal(got, want) {
		t.Errorf("Docker: got  %q\nwant %q", got, want)
	}
	// Its --mount has no way to write these.
	for _, path := range []string{"/a,b", `/a"b`} {
		s.Mounts = []engine.Mount{{Source: path, Target: "/m"}}
		if Podman.Check(s) == nil || Docker.Check(s) != nil {
			t.Errorf("%s: Podman takes it, or Docker does not", path)
		}
	}
}

func TestPodmansStatesAreTranslated(t *testing.T) {
	for in, want := range map[string]engine.State{"configured": engine.Created, "stopped": engine.Exited, "running": engine.Running} {
		if got := Podman.State(in); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

func TestPodmanIsKnownByItsComponents(t *testing.T) {
	if !IsPodman([]string{"Podman Engine", "Conmon"}) {
		t.Error("Podman is taken for Docker")
	}
	if IsPodman([]string{"Engine", "containerd"}) {
		t.Error("Docker is taken for Podman")
	}
}
