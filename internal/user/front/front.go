// Package front is the front: the login shell. It runs as the user, trusts nobody
// and decides nothing: it asks the broker for a container, starts the session
// there and waits.
package front

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/door"
	"github.com/dockersh/dockersh/internal/user/dotfile"
)

// Main runs the login shell; the result is the exit code. A session that ended
// by a signal ends this process by the same.
func Main() int {
	environ, broker := os.Environ(), noBroker
	if door.Setuid() {
		environ = door.Environ()
		var err error
		if broker, err = door.FromSetuid(); err != nil {
			return report(err)
		}
	}
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		_, _ = sys.Write(1, []byte("dockersh "+version.Get()+"\n"))
		return 0
	}
	r, err := parse(os.Args, caller{original: get(environ, "SSH_ORIGINAL_COMMAND"), home: get(environ, "HOME"), self: isSelf})
	switch {
	case err != nil:
		return report(err)
	case r.nothing:
		return 0
	}
	code, sig, err := run(r, environ, broker)
	if err != nil {
		return report(err)
	}
	if sig != 0 {
		sys.DieBy(sig)
		return exitstatus.SignalCode(sig) // a signal that does not end a process
	}
	return code
}

func run(r request, environ []string, broker int) (code int, sig unix.Signal, err error) {
	m := &wire.Login{Version: wire.Version, Terminal: tty.Is(0) && tty.Is(1), Command: r.command || len(r.args) > 0}
	m.UserFile, m.UserErr = dotfile.Read(get(environ, "HOME"), unix.Geteuid())
	m.AuthInfo = dotfile.AuthInfo(get(environ, "SSH_USER_AUTH"), unix.Geteuid())
	m.Words, m.Cut = r.words()
	wait := newWaiting()
	a, err := login(m, wait.show, broker)
	wait.clear()
	if err != nil {
		return 0, 0, err
	}
	if a.hostShell != "" {
		err := unix.Exec(a.hostShell, r.argv(a.hostShell), hostEnv(environ, a.hostShell))
		return 0, 0, usererr.New(usererr.Settings, "cannot run the host shell "+a.hostShell+": "+err.Error(), "", err)
	}
	s, err := begin(a, r, environ, m.Terminal)
	if err != nil {
		return 0, 0, err
	}
	return s.wait()
}

// hostEnv corrects SHELL, which sshd set to us.
func hostEnv(environ []string, shell string) []string {
	env := []string{"SHELL=" + shell}
	for _, e := range environ {
		if len(e) < 6 || e[:6] != "SHELL=" {
			env = append(env, e)
		}
	}
	return env
}

// isSelf tells whether a word is this program's own path.
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

// report shows an error and gives our exit code.
func report(err error) int {
	e := usererr.For(err)
	say("dockersh: error: " + e.Text)
	if e.Hint != "" {
		say("hint: " + e.Hint)
	}
	return exitstatus.Ours
}

// say writes a line for the user. Never to stdout: that is the command's.
func say(line string) { _, _ = sys.Write(2, []byte(line+"\n")) }

// patience is how long a login may take before it is worth a word.
const patience = time.Second

// waiting shows what a slow login does, on a terminal only.
type waiting struct {
	on, used bool
	since    time.Time
	last     string
}

func newWaiting() *waiting { return &waiting{on: tty.Is(2), since: time.Now()} }

// show remembers the line, and shows the last one once it has taken long. It is
// called every second, with no line if there is no news.
func (w *waiting) show(line string) {
	if line != "" {
		w.last = line
	}
	if w.on && w.last != "" && time.Since(w.since) > patience {
		w.used = true
		_, _ = sys.Write(2, []byte("\r\x1b[K"+w.last))
	}
}

func (w *waiting) clear() {
	if w.used {
		_, _ = sys.Write(2, []byte("\r\x1b[K"))
	}
}
