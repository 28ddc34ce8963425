package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/checks"
	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/wait"
)

const loginID = "login"

// loginLimit bounds the login, which may have to pull an image.
const loginLimit = 10 * time.Minute

// maxQuoted is how much the finding repeats, in bytes, of a login that writes too much.
const maxQuoted = 60

// loginResult is the login that doctor tried.
type loginResult struct {
	User    string  `json:"user"`
	Seconds float64 `json:"seconds"`
}

// firstUser returns the first user who can be logged in without sshd, or nothing. Users
// whose settings need the address or the key of the client cannot, nor those with a place
// that does not answer.
func firstUser(h *facts.Host) string {
	for _, u := range h.Users {
		if u.Led(h) && u.UID != 0 && u.Settings != nil && u.Settings.HostShell == "" && u.ByAddress == "" && u.ByKey == "" &&
			u.Unanswered == nil {
			return u.Name
		}
	}
	return ""
}

// login runs the login shell as sshd would for `ssh HOST true`: with the rights of the
// user and no others, in a fresh environment. It returns a finding if the login fails.
func login(ctx context.Context, h *facts.Host, u account.User, groups []account.Group) (loginResult, *checks.Finding) {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.Front, "-c", "true")
	errs := programs.Capped{End: cancel}
	cmd.Dir, cmd.Stderr, cmd.WaitDelay = "/", &errs, 5*time.Second
	cmd.Env = []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=" + h.Front, "PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: programs.Credential(u, groups), Setsid: true}
	start := time.Now()
	err := programs.Run(ctx, cmd)
	result := loginResult{u.Name, time.Since(start).Seconds()}
	if err == nil {
		return result, nil
	}
	if errors.Is(err, wait.ErrGivenUp) {
		return result, failedLogin(u, "no answer within "+loginLimit.String()+", and it cannot be killed")
	}
	words := strings.Join(strings.FieldsFunc(errs.String(), func(r rune) bool { return r == '\n' }), "; ")
	switch {
	case errs.TooMuch():
		err = fmt.Errorf("it writes more than %d bytes to its standard error, which begins with %q", programs.MaxOutput,
			words[:min(len(words), maxQuoted)])
	case ctx.Err() != nil:
		err = errors.New("no answer within " + loginLimit.String())
	case words != "":
		err = errors.New(words)
	}
	return result, failedLogin(u, err.Error())
}

func failedLogin(u account.User, why string) *checks.Finding {
	return &checks.Finding{
		ID: loginID, Severity: checks.Error, Users: []string{u.Name}, Text: "a login fails: " + why,
		Lines: []string{"journalctl -t dockershd -t dockersh-bridge"}, Why: "dockershd(8)",
	}
}
