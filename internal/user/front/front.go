// Package front is the login shell. It runs as the user, trusts nothing but the broker and
// decides nothing: it asks the broker for a container, starts the session there, and
// carries it to its end.
package front

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/door"
	"github.com/dockersh/dockersh/internal/user/dotfile"
)

// Main runs dockersh and returns its exit code. If a signal ended the session, the same
// signal ends this process.
func Main() int {
	env, broker := os.Environ(), notConnected
	if door.IsSetuid() {
		env = door.ClearEnviron()
		var err error
		if broker, err = door.StartAsRoot(); err != nil {
			return printError(err)
		}
	}
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		_, _ = sys.Write(1, []byte("dockersh "+version.Get()+"\n"))
		return 0
	}
	r, err := parseArgs(os.Args, invocation{
		original: environ.Get(env, "SSH_ORIGINAL_COMMAND"), home: environ.Get(env, "HOME"), isSelf: isSelf,
	})
	switch {
	case err != nil:
		return printError(err)
	case r.nothing:
		return 0
	}
	code, sig, err := run(r, env, broker)
	if err != nil {
		return printError(err)
	}
	if sig != 0 {
		sys.DieBy(sig)
		return exitstatus.SignalCode(sig) // a signal that does not end a process
	}
	return code
}

func run(r request, env []string, broker int) (code int, sig unix.Signal, err error) {
	m := &wire.Login{Version: wire.Version, Terminal: tty.Is(0) && tty.Is(1), HasCommand: r.command || len(r.args) > 0}
	file := readUserFile(environ.Get(env, "HOME"))
	m.UserFile, m.UserErr = file.UserFile, file.UserErr
	m.AuthInfo = dotfile.AuthInfo(environ.Get(env, "SSH_USER_AUTH"), unix.Geteuid())
	m.Words, m.Cut = r.words()
	m.X11 = forwardsX11(env)
	progress := newProgress()
	a, err := login(m, progress.show, broker)
	progress.clear()
	if err != nil {
		return 0, 0, err
	}
	if a.hostShell != "" {
		// sshd set SHELL to this program.
		err := unix.Exec(a.hostShell, r.argv(a.hostShell), environ.Overlay(env, "SHELL="+a.hostShell))
		return 0, 0, usererr.New(usererr.Settings, "cannot run the host shell "+a.hostShell+": "+err.Error(), usererr.RunCheck, err)
	}
	s, err := startSession(a, r, env, m.Terminal)
	if err != nil {
		return 0, 0, err
	}
	return s.wait()
}

// isSelf reports whether word is the path of this program.
func isSelf(word string) bool {
	if word == "dockersh" {
		return true
	}
	if !strings.HasSuffix(word, "/dockersh") {
		return false
	}
	exe, err := os.Readlink("/proc/self/exe")
	return err == nil && word == exe
}

// printError shows an error to the user and returns our exit code.
func printError(err error) int {
	e := usererr.For(err)
	printLine("dockersh: error: " + e.Text)
	if e.Hint != "" {
		printLine("hint: " + e.Hint)
	}
	return exitstatus.Ours
}

// printLine writes a line for the user to stderr: stdout belongs to the command.
func printLine(line string) { _, _ = sys.Write(2, []byte(line+"\n")) }

// progressDelay is how long a login takes before its progress is shown.
const progressDelay = time.Second

// progress is a line on the terminal about what a slow login waits for.
type progress struct {
	enabled bool // stderr is a terminal
	shown   bool
	since   time.Time
	last    string
}

func newProgress() *progress { return &progress{enabled: tty.Is(2), since: time.Now()} }

// show stores the line, and shows it once the login has taken a while. It is called every
// second, without a line if there is nothing new.
func (p *progress) show(line string) {
	if line != "" {
		p.last = line
	}
	if p.enabled && p.last != "" && time.Since(p.since) > progressDelay {
		p.shown = true
		_, _ = sys.Write(2, []byte("\r\x1b[K"+p.last))
	}
}

func (p *progress) clear() {
	if p.shown {
		_, _ = sys.Write(2, []byte("\r\x1b[K"))
	}
}
