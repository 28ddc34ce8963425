package front

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/user/dotfile"
	"github.com/dockersh/dockersh/internal/user/forward"
	"github.com/dockersh/dockersh/internal/user/xauthority"
)

// sshAgent is the user's ssh agent, at which sshd listens for us.
type sshAgent struct {
	path     string // of sshd's socket; empty for none
	listener int    // the socket in the container that stands for it; -1 for none
}

// serve serves the container from its first connection on. Nothing of it is waited for here.
func (a *sshAgent) serve() {
	go forward.Serve(a.listener, a.path)
	a.listener = -1
}

// forwardsX11 reports whether sshd forwards a display to this session.
func forwardsX11(env []string) bool {
	return environ.Get(env, "DISPLAY") != "" && environ.Get(env, "SSH_CONNECTION") != ""
}

// cookiesLimit is how long the user's Xauthority file may take to be read.
const cookiesLimit = 3 * time.Second

// display returns the display that sshd forwards and its cookies; neither if there are no
// cookies, without which sshd lets nobody in.
func display(env []string) (name string, cookies []byte) {
	name = environ.Get(env, "DISPLAY")
	number, ok := xauthority.Number(name)
	if !ok {
		return "", nil
	}
	path := environ.Get(env, "XAUTHORITY")
	if path == "" {
		path = environ.Get(env, "HOME") + "/.Xauthority"
	}
	file, _ := wait.Within(cookiesLimit, func() []byte { return dotfile.Xauthority(path, unix.Geteuid()) })
	var host unix.Utsname
	if unix.Uname(&host) == nil {
		cookies = xauthority.Cookies(file, number, unix.ByteSliceToString(host.Nodename[:]))
	}
	if len(cookies) == 0 {
		return "", nil
	}
	return name, cookies
}

// isInteractive reports whether somebody reads our messages.
func isInteractive(m *wire.Start) bool { return m.Terminal && len(m.Argv) == 1 }

// printWhatIsNotForwarded names what ssh forwards and the session does without.
func (s *session) printWhatIsNotForwarded(started agentclient.Started) {
	if s.sshAgent.path != "" && started.SSHAgent < 0 {
		printLine("dockersh: your ssh agent is not forwarded into this container")
	}
	if s.x11 && !started.X11 {
		printLine("dockersh: X11 is not forwarded into this container")
	}
}
