package dockersh

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dockersh/dockersh"

// rooms are the folders of internal/. A package may import its own room and those of
// earlier rows, and none of later ones.
var rooms = []struct{ name, reason string }{
	{"host", "what is read of the host and asked of the kernel: knows nothing of dockersh's users, messages or rules"},
	{"proto", "what the programs send to each other and show to people: no rules, no files"},
	{"engine", "what is needed of a container engine, in our words"},
	{"rules", "what the administrator wrote and what follows from it: knows no socket and no running container"},
	{"root", "what runs with root's power (or as its own user through the direct door)"},
	{"container", "what runs inside, with the container user's rights: needs nothing of the host"},
	{"admin", "what the administrator runs: shares root's files and locks, and asks a broker for its counters alone"},
}

// wall names what a package must not link, not even by way of others. A name that ends
// in / stands for everything below.
type wall struct {
	pkg    string
	not    []string
	reason string
}

// lean is what a program that starts per session or lives per container goes without.
var lean = []string{"net", "net/http", "os/exec", "os/user", "log", "log/slog", "regexp", "text/template", "encoding/json", "fmt"}

// beside is what the administrator's packages go without: they work beside the broker,
// and main chooses the engine.
var beside = []string{"internal/engine/docker", "net/http", "internal/root/broker", "internal/root/daemon", "internal/root/door", "internal/container/"}

// besideHTTP is beside for those that link the library of Prometheus, which knows headers of HTTP.
var besideHTTP = slices.DeleteFunc(slices.Clone(beside), func(p string) bool { return p == "net/http" })

// pure is what a package goes without that judges a host, and does not look at it.
var pure = []string{"net/http", "internal/engine/docker", "internal/root/", "internal/proto/seqpacket", "internal/host/tty", "internal/host/trustedpath", "internal/rules/settings"}

var walls = []wall{
	// The programs.
	{"cmd/dockersh-init", append(lean, "internal/engine/", "internal/rules/", "internal/admin/", "internal/root/", "internal/host/account"),
		"it is resident in every container, owns wait4 (os/exec would wait beside it), and needs nothing of the host"},
	{"cmd/dockersh-podinit", append(lean, "internal/engine/", "internal/rules/", "internal/admin/", "internal/root/", "internal/host/account"),
		"as cmd/dockersh-init"},
	{"cmd/dockersh-files", []string{"os/exec", "net/http", "internal/engine/", "internal/rules/", "internal/admin/", "internal/root/", "internal/host/account", "internal/container/agent"},
		"it serves one client with the container user's rights: it starts nothing, and speaks to nobody else"},
	{"cmd/dockershd", []string{"internal/container/", "internal/admin/", "internal/host/tty"},
		"it has the power: it never opens a terminal, and serves no administrator"},
	{"cmd/dockershd-session", []string{"net/http", "crypto/tls", "internal/engine/docker", "internal/container/", "internal/admin/", "internal/host/tty"},
		"without a service it starts for every login, and stays for its length: the client of an engine would be most of it"},
	{"cmd/dockersh-bridge", []string{"internal/rules/", "internal/host/account", "internal/root/broker", "internal/root/daemon", "internal/container/", "internal/admin/"},
		"it learns what its session is, and decides nothing"},
	{"cmd/dockershd-pods", []string{"internal/rules/", "internal/host/account", "internal/root/broker", "internal/root/daemon", "internal/container/", "internal/admin/", "internal/engine/docker", "k8s.io/client-go/kubernetes"},
		"it makes calls and carries sessions for those that decide; all typed clients would double it"},
	{"cmd/dockershctl", []string{"internal/root/broker", "internal/root/daemon", "internal/root/door", "internal/container/"},
		"it works beside the broker, under the same locks: the two must not become one"},

	// host: leaves, each for one thing of the host.
	{"internal/host/account", []string{"net", "os/user", "log/slog"}, "it runs getent(1) as a child that can be killed: name services load foreign code, and may hang"},
	{"internal/host/idmap", []string{"net", "os/exec"}, "it mounts with root's rights, and leaves decisions to its callers"},
	{"internal/host/netns", []string{"net", "os/exec", "fmt"}, "it opens namespaces of processes, and leaves what is done with them to its callers"},
	{"internal/host/limits", []string{"syscall", "os"}, "what package syscall changes at its start is read before"},
	{"internal/host/passwd", []string{"net", "os/exec", "log/slog", "golang.org/x/sys/unix", "internal/host/account", "internal/host/sys"}, "text in, text out: whose files these are is for its callers"},
	{"internal/host/paths", []string{"os", "fmt"}, "paths that are fixed at build time: nothing at run time changes them"},
	{"internal/host/proc", []string{"net", "os/exec", "fmt"}, "it reads /proc, for warm logins too"},
	{"internal/host/rootfs", []string{"net", "os/exec", "fmt", "internal/host/account"}, "root follows paths of containers in it, and no others: a few system calls, for the agent too"},
	{"internal/host/sshd", []string{"net", "os/exec", "fmt"}, "it asks the kernel about sshd, for warm logins too"},
	{"internal/host/sshd/pattern", append(lean, "os", "crypto/sha256"), "pure: a pattern and a name in, whether they match out"},
	{"internal/host/seen", []string{"net", "os/exec", "fmt"}, "names of files, for warm logins too"},
	{"internal/host/sys", []string{"net", "os/exec", "fmt"}, "system calls for programs that start per session"},
	{"internal/host/trustedpath", []string{"net", "os/exec"}, "it checks paths before root follows them, and starts nothing"},
	{"internal/host/tty", []string{"net", "os/exec", "fmt", "internal/host/sys"}, "terminals for programs that live per session or per container"},
	{"internal/host/wait", []string{"os", "net", "log/slog"}, "waiting with a limit, and sharing work: it knows nothing of what is waited for"},
	{"internal/host/version", lean, "every program in Go links it, process 1 of containers first"},

	// proto: pure, or nearly.
	{"internal/proto/agentclient", []string{"net", "os/exec", "fmt", "internal/host/tty", "internal/proto/asciicast"},
		"bridge, broker and the agent of pods speak to agents through it: it must fit the smallest of them, and the broker opens no terminal"},
	{"internal/proto/asciicast", []string{"net", "os/exec", "golang.org/x/sys/unix"}, "the format is pure: bytes in, bytes out"},
	{"internal/proto/channel", []string{"net", "os/exec", "fmt"}, "a message with its descriptors: for programs that start per session"},
	{"internal/proto/frames", append(lean, "os", "golang.org/x/sys/unix"), "bytes in, frames out; the agent links it"},
	{"internal/proto/environ", append(lean, "os"), "lists of words in, lists of words out: it knows no environment but the one it is given"},
	{"internal/proto/exitstatus", []string{"net", "os/exec", "fmt"}, "numbers in, numbers out"},
	{"internal/proto/printable", []string{"net", "os", "fmt", "golang.org/x/sys/unix"}, "text in, text out: every program cleans what it shows by the same rule"},
	{"internal/proto/remotecmd", append(lean, "os"), "it reads commands, and runs none; the agent links it"},
	{"internal/proto/seqpacket", []string{"net", "internal/proto/wire"}, "it carries packets and does not read them"},
	{"internal/proto/usererr", []string{"fmt", "os"}, "a leaf: every program shows errors by it"},
	{"internal/proto/wire", []string{"os", "syscall", "net", "golang.org/x/sys/unix"}, "the protocol is pure: bytes in, messages out"},

	// engine
	{"internal/engine", []string{"net", "os", "os/exec", "internal/host/", "internal/proto/seqpacket", "internal/proto/wire"}, "an interface and its words: nothing runs here"},
	{"internal/engine/docker", []string{"internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "internal/host/proc", "internal/host/sshd"},
		"it speaks to engines: users, rules and sessions are not its business"},
	{"internal/engine/docker/api", []string{"archive/tar", "internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "internal/host/rootfs"},
		"a connection and its errors: what is asked over it is for its importers"},
	{"internal/engine/docker/files", []string{"internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "internal/host/rootfs"},
		"the engine writes and reads files of containers that were never started: we open none ourselves"},
	{"internal/engine/docker/layers", []string{"internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "internal/host/rootfs"},
		"the engine copies layers: whose they are, and when, is decided elsewhere"},
	{"internal/engine/docker/networks", []string{"internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "internal/host/rootfs"},
		"the engine makes networks: which container is in which is decided elsewhere"},
	{"internal/engine/docker/dialect", []string{"github.com/moby/moby/client", "net/http", "internal/proto/wire", "internal/host/account"},
		"one command line and what differs between engines: the API is the client's"},
	{"internal/engine/docker/transport", []string{"github.com/moby/moby/client", "net/http", "internal/engine/docker/dialect", "internal/host/account"},
		"a connection: what goes over it is not its business"},
	{"internal/engine/byaddress", []string{"internal/engine/kubernetes", "internal/proto/wire", "internal/host/account"},
		"it chooses a client, and links that of one engine: the other is a process"},
	{"internal/engine/enginerpc", []string{"internal/engine/docker", "internal/engine/kubernetes", "net/http", "internal/proto/wire", "internal/host/account"},
		"calls and their answers: it is linked instead of the engine's client"},
	{"internal/engine/kubernetes", []string{"internal/engine/docker", "internal/proto/wire", "internal/proto/channel", "internal/proto/seqpacket", "internal/host/account", "k8s.io/client-go/kubernetes"},
		"it speaks to an API server alone; all typed clients would double the program that links it"},
	{"internal/engine/kubernetes/manifest", []string{"internal/engine/docker", "os/exec", "k8s.io/client-go/", "internal/host/account"},
		"a description in, an object of the API out: no call is made here"},
	{"internal/engine/kubernetes/stream", []string{"internal/engine/docker", "internal/host/account", "k8s.io/client-go/kubernetes", "internal/engine/kubernetes/manifest"},
		"a connection to a program: where it runs, and who may start it, was decided before"},
	{"internal/engine/presence", []string{"net", "os/exec", "internal/host/", "internal/engine/docker", "internal/engine/kubernetes", "internal/engine/enginetest"},
		"it announces sessions again and again: who may enter, and what is removed, is decided elsewhere"},
	{"internal/engine/conformance", []string{"net", "os/exec", "internal/engine/docker", "internal/engine/enginetest"}, "what every engine must do, whichever it is"},
	{"internal/engine/enginetest", []string{"net", "os/exec", "internal/engine/docker"}, "an engine in memory, for tests"},

	// rules
	{"internal/rules/config", []string{"net", "os/exec", "internal/engine/", "internal/host/"}, "bytes in, settings out: its callers read the files"},
	{"internal/rules/policy", []string{"net", "net/http", "log/slog", "internal/engine/docker", "internal/proto/seqpacket", "internal/rules/settings", "internal/host/trustedpath"},
		"it decides who may enter what without a look at the host"},
	{"internal/rules/settings", []string{"net", "net/http", "log/slog", "internal/engine/docker", "internal/proto/seqpacket"}, "it reads root's settings file; everything else is passed in"},
	{"internal/rules/syntax", []string{"net", "os/exec", "internal/host/", "internal/rules/config"}, "bytes in, lines with their places out: it knows no settings"},
	{"internal/rules/template", []string{"net", "os/exec", "internal/host/", "internal/rules/config"}, "text and values in, text out: it knows no settings"},
	{"internal/rules/values", []string{"net", "os/exec", "internal/host/", "internal/rules/config"}, "a value in, what is wrong with it out: it knows no settings"},
	{"internal/rules/suggest", []string{"net", "os", "fmt"}, "words in, a word out"},

	// root
	{"internal/root/admission", []string{"internal/engine/docker", "net/http", "internal/root/broker", "internal/root/state"}, "it counts and looks up, before anything is done for a connection"},
	{"internal/root/background", []string{"net", "os", "log/slog", "internal/engine", "internal/host/wait"}, "it queues and drops: what is written, and where, is for its callers to say"},
	{"internal/root/bridge/prelude", []string{"net", "os/exec", "internal/engine/", "internal/rules/", "internal/root/carrier"},
		"words in, a report out: the bridge has it run"},
	{"internal/root/bridge", []string{"internal/rules/", "internal/host/account", "internal/root/broker"}, "it carries the one session that the broker names, and decides nothing"},
	{"internal/root/carrier", []string{"internal/rules/", "internal/engine/", "internal/proto/", "internal/host/account", "net/http", "os/exec", "log/slog"},
		"it has no rights, and carries bytes: which ones was decided elsewhere"},
	{"internal/root/broker", []string{"internal/engine/docker", "internal/host/tty", "net/http"}, "it is given an engine, and never opens a terminal"},
	{"internal/root/daemon", []string{"internal/engine/docker", "internal/host/tty", "net/http"}, "the mains choose the engine: one program has none"},
	{"internal/root/door", []string{"fmt", "net", "os/exec", "internal/proto/wire"}, "it starts a program as root: nothing of a message is read there"},
	{"internal/root/recordings", []string{"net/http", "internal/engine/docker", "internal/host/tty", "internal/root/broker", "internal/root/bringup", "internal/root/lifecycle"},
		"files of root: whose session is recorded, and what is in a recording, is not its business"},
	{"internal/root/counters", []string{"os", "net", "fmt", "log/slog", "internal/engine/", "internal/root/"}, "it adds to numbers in memory: a warm login waits for nothing here"},
	{"internal/root/sessionlog", []string{"os", "net", "fmt", "log/slog", "internal/engine/", "internal/rules/", "internal/proto/", "internal/host/"}, "it counts lines: what they say is not its business"},
	{"internal/root/fate", []string{"internal/engine/docker", "net/http", "internal/root/broker", "internal/root/state"}, "it asks an engine about one container, and changes nothing"},
	{"internal/root/history", []string{"internal/engine/", "internal/rules/", "internal/root/broker"}, "a file of what happened: it asks nobody"},
	{"internal/root/bringup", []string{"internal/root/broker", "internal/engine/docker", "internal/host/tty", "net/http"}, "it is given a plan and an engine: who may enter was decided before"},
	{"internal/root/join", []string{"internal/root/broker", "internal/engine/docker", "internal/host/tty", "net/http"},
		"it is given a connection and its user: who asks, and in which message, was decided before"},
	{"internal/root/launch", []string{"internal/root/broker", "internal/root/bringup", "internal/engine/docker", "internal/host/tty", "net/http"},
		"it makes and starts what its caller names, and knows no login"},
	{"internal/root/containerfiles", []string{"internal/root/broker", "internal/root/bringup", "internal/root/launch", "internal/engine/docker", "internal/host/tty", "net/http"},
		"it writes into the container that it is given: who may enter that, and when, is decided elsewhere"},
	{"internal/root/images", []string{"internal/root/broker", "internal/root/bringup", "internal/root/launch", "internal/root/lifecycle", "internal/engine/docker", "internal/host/tty", "net/http"},
		"images and what is in them: it knows no container but its probes"},
	{"internal/root/mounts", []string{"internal/root/broker", "internal/root/bringup", "internal/root/launch", "internal/root/lifecycle", "internal/root/state", "internal/engine/docker", "internal/host/tty", "net/http"},
		"it looks at paths, and judges them: what becomes of the container is decided elsewhere"},
	{"internal/root/lifecycle", []string{"internal/root/broker", "internal/root/bringup", "internal/root/launch", "internal/engine/docker", "internal/host/tty", "net/http"},
		"for containers that nobody is in, and for holders of their locks: it knows no login"},
	{"internal/root/startsocket", []string{"internal/root/broker", "internal/root/bringup", "internal/root/launch", "internal/root/lifecycle", "internal/engine/docker", "internal/host/tty", "net/http", "log/slog"},
		"any process of a container can connect to it: which agent is awaited, and what for, is decided elsewhere"},
	{"internal/root/state", []string{"internal/proto/wire", "internal/proto/seqpacket", "internal/engine/docker", "net/http", "log/slog"}, "files and locks below the run-time directory: no messages, no sockets"},
	{"internal/root/reverse", []string{"internal/root/broker", "internal/root/bringup", "internal/engine/docker", "internal/host/tty", "net/http"},
		"it is given a container and its forwards, and knows no login"},
	{"internal/root/syslog", []string{"net/http", "internal/rules/", "internal/engine/", "internal/proto/"}, "lines go to the log, whatever they say"},

	// container, admin
	{"internal/container/spawn", append(lean, "internal/proto/", "internal/rules/", "internal/engine/", "internal/root/"), "what runs between fork and exec is a few system calls"},
	{"internal/container/agent", append(lean, "internal/rules/", "internal/engine/", "internal/root/"), "as cmd/dockersh-init"},
	{"internal/container/files", []string{"os/exec", "net/http", "internal/container/agent"}, "as cmd/dockersh-files"},
	{"internal/container/files/handles", append(slices.Clone(lean), "github.com/pkg/sftp", "internal/host/", "internal/proto/"), "open files and system calls: what a client's packets are is decided elsewhere"},
	{"internal/container/files/scp", append(slices.DeleteFunc(slices.Clone(lean), func(p string) bool { return p == "fmt" }), "github.com/pkg/sftp"), "the old protocol needs nothing of the new one"},
	{"internal/container/files/sftp", []string{"os/exec", "net/http", "internal/host/", "internal/proto/"}, "bytes and files: it knows nothing of dockersh"},
	{"internal/admin/cli", []string{"net/http", "internal/engine/docker", "internal/root/", "internal/rules/config"},
		"what every command is made of knows no command"},
	{"internal/admin/containers", append(beside, "internal/admin/ctl", "internal/admin/doctor/", "internal/admin/top/"), "as cmd/dockershctl"},
	{"internal/admin/ctl", besideHTTP, "as cmd/dockershctl"},
	{"internal/admin/doctor", append(beside, "internal/root/", "internal/admin/ctl", "internal/admin/containers", "internal/admin/sessions"),
		"it judges a host from outside: the programs that it judges do not supply the facts"},
	{"internal/admin/doctor/checks", append(pure, "internal/admin/cli"), "a check judges facts: it does not look at the host"},
	{"internal/admin/doctor/facts", append(pure, "internal/admin/doctor/checks"), "what is known of a host: how it was found out, and what follows from it, is decided elsewhere"},
	{"internal/admin/doctor/look", append(beside, "internal/admin/doctor/checks", "internal/root/", "internal/admin/ctl", "internal/admin/containers", "internal/admin/sessions"),
		"it looks, and judges nothing: the programs that are looked at do not supply the facts"},
	{"internal/admin/doctor/programs", append(pure, "internal/engine/", "internal/rules/", "internal/admin/cli", "internal/admin/doctor/facts"),
		"it runs what it is given: what that is, and what the output means, is for its callers"},
	{"internal/admin/doctor/reach", append(beside, "internal/admin/cli", "internal/root/"), "it connects from one network to another: the broker that it judges has no part in it"},
	{"internal/admin/doctor/sshdlines", append(pure, "internal/engine/", "internal/admin/cli", "internal/admin/doctor/facts", "internal/admin/doctor/checks"),
		"settings in, lines out: what sshd has now is not its business"},
	{"internal/admin/explain", append(beside, "internal/admin/ctl", "internal/admin/containers", "internal/admin/sessions"), "it shows what a login would do, and does nothing"},
	{"internal/admin/human", []string{"net", "os", "internal/engine/", "internal/root/"}, "values in, text for people out"},
	{"internal/admin/metrics", append(besideHTTP, "internal/admin/ctl", "internal/admin/doctor/", "internal/admin/top"), "it reads and counts, and changes nothing"},
	{"internal/admin/player", append(beside, "internal/admin/sessions"), "it reads recordings: no session learns of it"},
	{"internal/admin/installed", append(beside, "internal/root/"), "it reads what brokers read, and is not part of them: the doctor judges by it"},
	{"internal/admin/sessions", append(beside, "internal/admin/containers"), "a session is a process of the host: engines are asked through cli.Marks alone"},
	{"internal/admin/top", append(beside, "internal/admin/ctl"), "as cmd/dockershctl"},
	{"internal/admin/top/view", []string{"internal/engine/", "internal/root/"}, "a screen and keys: what it shows and does is given to it"},
}

// golist runs go list for the module's packages and returns its lines.
func golist(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// own shortens the import path of a package of this module.
func own(pkg string) string { return strings.TrimPrefix(pkg, module+"/") }

func TestWallsHold(t *testing.T) {
	deps := map[string][]string{}
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Deps \" \"}}", "./...") {
		pkg, list, _ := strings.Cut(line, ":")
		deps[own(pkg)] = nil
		for d := range strings.FieldsSeq(list) {
			deps[own(pkg)] = append(deps[own(pkg)], own(d))
		}
	}
	for _, w := range walls {
		if _, ok := deps[w.pkg]; !ok {
			t.Errorf("there is no package %s", w.pkg)
		}
		for _, n := range w.not {
			below := strings.HasSuffix(n, "/")
			for _, d := range deps[w.pkg] {
				if d == strings.TrimSuffix(n, "/") || below && strings.HasPrefix(d, n) {
					t.Errorf("%s links %s: %s", w.pkg, d, w.reason)
				}
			}
		}
	}
}

// The client of a cluster is larger than all of our programs: hosts without one do not pay for it.
func TestProgramsDoNotLinkTheClientOfACluster(t *testing.T) {
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Deps \" \"}}", "./cmd/...") {
		if program, deps, _ := strings.Cut(line, ":"); strings.Contains(deps, " k8s.io/") && own(program) != "cmd/dockershd-pods" {
			t.Errorf("%s links client-go", own(program))
		}
	}
}

// Every package has its wall, so that a new one is given a thought, and a room.
func TestEveryPackageHasAWall(t *testing.T) {
	for _, pkg := range golist(t, "./cmd/...", "./internal/...") {
		if !slices.ContainsFunc(walls, func(w wall) bool { return w.pkg == own(pkg) && w.reason != "" && len(w.not) > 0 }) {
			t.Errorf("%s has no row in walls_test.go", own(pkg))
		}
	}
}

func TestNoPackageImportsALaterRoom(t *testing.T) {
	level := func(pkg string) int {
		return slices.IndexFunc(rooms, func(r struct{ name, reason string }) bool {
			return strings.HasPrefix(pkg+"/", "internal/"+r.name+"/")
		})
	}
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./internal/...") {
		pkg, imports, _ := strings.Cut(line, ": ")
		from := level(own(pkg))
		if from < 0 {
			t.Errorf("%s stands in no room", own(pkg))
			continue
		}
		for i := range strings.FieldsSeq(imports) {
			if !strings.HasPrefix(i, module) {
				continue
			}
			if to := level(own(i)); to > from {
				t.Errorf("%s imports %s: %s is %s", own(pkg), own(i), rooms[from].name, rooms[from].reason)
			}
		}
	}
}

func TestOnlyTheRoomOfDockerKnowsTheSDK(t *testing.T) {
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./...") {
		pkg, imports, _ := strings.Cut(line, ": ")
		if strings.HasPrefix(own(pkg), "internal/engine/docker") {
			continue
		}
		for _, sdk := range []string{"github.com/docker/", "github.com/moby/"} {
			if strings.Contains(imports, sdk) {
				t.Errorf("%s imports %s*: everything else speaks to engines in our own words (internal/engine)", own(pkg), sdk)
			}
		}
	}
}

// The libraries of Prometheus are as large as a program that starts per session.
func TestOnlyDockershctlLinksPrometheus(t *testing.T) {
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Deps \" \"}}", "./cmd/...") {
		pkg, deps, _ := strings.Cut(line, ": ")
		for _, d := range []string{"github.com/prometheus/", "google.golang.org/protobuf/"} {
			if links := strings.Contains(deps, d); links != (own(pkg) == "cmd/dockershctl") {
				t.Errorf("%s, %s*: %v", own(pkg), d, links)
			}
		}
	}
}

// A main passes an engine.Opener, its own or that of package byaddress, to all that need an engine.
func TestOnlyMainsChooseAnEngine(t *testing.T) {
	mains := []string{"internal/engine/byaddress", "cmd/dockersh-bridge"}
	for _, line := range golist(t, "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./...") {
		pkg, imports, _ := strings.Cut(line, ": ")
		if pkg = own(pkg); !slices.Contains(mains, pkg) && !strings.HasPrefix(pkg, "internal/engine/docker") && strings.Contains(imports, module+"/internal/engine/docker") {
			t.Errorf("%s imports internal/engine/docker: another engine must fit without a change there", pkg)
		}
	}
}

// Programs that start per session or live per container are many.
func TestProgramsOfSessionsDoNotFollowTheirCgroup(t *testing.T) {
	for _, program := range []string{"dockershd-session", "dockersh-bridge", "dockersh-init", "dockersh-podinit", "dockersh-files", "dockershd-pods"} {
		got := golist(t, "-f", "{{.DefaultGODEBUG}}", "./cmd/"+program)[0]
		if got != "containermaxprocs=0,updatemaxprocs=0" {
			t.Errorf("%s is built with %q", program, got)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, line := range golist(t, "-f", "{{.ImportPath}}\t{{.Doc}}", "./...") {
		if pkg, doc, _ := strings.Cut(line, "\t"); doc == "" && pkg != module {
			t.Errorf("%s has no package comment", own(pkg))
		}
	}
}
