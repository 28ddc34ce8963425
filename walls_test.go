package dockersh

import (
	"os/exec"
	"strings"
	"testing"
)

// wall says what a package must not link, not even by way of others.
type wall struct {
	pkg    string
	not    []string
	reason string
}

var walls = []wall{
	{"./cmd/dockersh", []string{
		"net", "net/http", "os/exec", "os/user", "log", "log/slog", "regexp", "text/template", "encoding/json", "fmt",
		"dockersh/internal/config", "dockersh/internal/policy", "dockersh/internal/engine", "dockersh/internal/account",
		"dockersh/internal/broker", "dockersh/internal/agent",
	}, "it starts for every ssh, scp and git command, as a user nobody trusts: what it links decides its speed, and it decides nothing"},
	{"./cmd/dockersh-init", []string{
		"net", "net/http", "os/exec", "os/user", "log", "log/slog", "regexp", "text/template", "encoding/json", "fmt",
		"dockersh/internal/config", "dockersh/internal/policy", "dockersh/internal/engine", "dockersh/internal/account",
		"dockersh/internal/broker", "dockersh/internal/shell",
	}, "it is resident in every container, owns wait4 (os/exec would wait beside it), and needs nothing of the host"},
	{"./cmd/dockershd-session", []string{"net/http", "crypto/tls", "dockersh/internal/engine/docker", "dockersh/internal/shell", "dockersh/internal/agent", "dockersh/internal/tty"},
		"without a service it starts for every login, and stays for its length: the client of an engine would be most of it"},
	{"dockersh/internal/door", []string{"fmt", "net", "os/exec", "dockersh/internal/wire", "dockersh/internal/userfile"}, "root runs it in a setuid program: nothing of the caller's is read there"},
	{"dockersh/internal/wire", []string{"os", "syscall", "net", "golang.org/x/sys/unix"}, "the protocol is pure: bytes in, messages out"},
	{"dockersh/internal/seqpacket", []string{"dockersh/internal/wire", "net"}, "it carries packets and does not read them"},
	{"dockersh/internal/config", []string{"net", "os/exec", "dockersh/internal/policy", "dockersh/internal/engine"}, "bytes in, settings out: who reads which file is not its business"},
	{"dockersh/internal/policy", []string{
		"net", "net/http", "log/slog", "dockersh/internal/broker", "dockersh/internal/engine/docker", "dockersh/internal/seqpacket",
	}, "who may enter what is decided without looking at the world"},
	{"dockersh/internal/broker", []string{"dockersh/internal/engine/docker", "dockersh/internal/shell", "dockersh/internal/agent", "dockersh/internal/tty", "net/http"},
		"it is given an engine, and never opens a terminal"},
	{"dockersh/internal/life", []string{"dockersh/internal/broker", "dockersh/internal/engine/docker", "dockersh/internal/sessions", "net/http"},
		"steps for whoever holds the lock: who may take them, and whether somebody is in, is his business"},
	{"./cmd/dockersh-bridge", []string{
		"dockersh/internal/config", "dockersh/internal/policy", "dockersh/internal/account", "dockersh/internal/broker", "dockersh/internal/shell", "dockersh/internal/agent",
	}, "it is told what its session is, and decides nothing"},
	{"dockersh/internal/doctor", []string{"dockersh/internal/broker", "dockersh/internal/shell", "dockersh/internal/agent", "dockersh/internal/admin"},
		"it judges a host from outside: it is told nothing by the programs that it judges"},
	{"dockersh/internal/top", []string{"dockersh/internal/engine", "dockersh/internal/sessions", "dockersh/internal/rundir"},
		"a screen and keys: what it shows and does is given to it"},
	{"dockersh/internal/sys", []string{"dockersh/internal/wire", "dockersh/internal/usererr"}, "a leaf"},
	{"dockersh/internal/idmap", []string{"net", "os/exec", "dockersh/internal/policy", "dockersh/internal/engine", "dockersh/internal/usererr"},
		"a leaf: it mounts with root's rights, and decides nothing"},
	{"dockersh/internal/asciicast", []string{"net", "golang.org/x/sys/unix", "dockersh/internal/wire"}, "the format is pure: bytes in, bytes out"},
	{"dockersh/internal/tty", []string{"dockersh/internal/wire", "dockersh/internal/sys"}, "a leaf"},
	{"dockersh/internal/usererr", []string{"fmt", "os"}, "a leaf that the front links"},
}

func TestWallsHold(t *testing.T) {
	for _, w := range walls {
		out, err := exec.Command("go", "list", "-deps", w.pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list -deps %s: %v\n%s", w.pkg, err, out)
		}
		deps := map[string]bool{}
		for d := range strings.FieldsSeq(string(out)) {
			deps[d] = true
		}
		for _, n := range w.not {
			if deps[n] {
				t.Errorf("%s links %s: %s", w.pkg, n, w.reason)
			}
		}
	}
}

func TestOnlyOnePackageKnowsTheSDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(line, ": ")
		if pkg == "dockersh/internal/engine/docker" {
			continue
		}
		for _, sdk := range []string{"github.com/docker/", "github.com/moby/"} {
			if strings.Contains(imports, sdk) {
				t.Errorf("%s imports %s*: everything else speaks to engines in our own words (internal/engine)", pkg, sdk)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if pkg, doc, _ := strings.Cut(strings.TrimSpace(line), "\t"); doc == "" && pkg != "dockersh" {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}
