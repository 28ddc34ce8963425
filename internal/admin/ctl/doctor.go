package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// report is what the doctor has to say.
type report struct {
	Findings []doctor.Finding `json:"findings"`
	Login    *doctor.LoggedIn `json:"login,omitempty"` // missing: none was tried
}

// doctorArgs are the arguments of doctor.
type doctorArgs struct {
	users, accept   []string
	login           string
	noLogin, asJSON bool
}

// judge is the command doctor: it looks at the host, and logs somebody in.
func judge(ctx context.Context, out io.Writer, args []string) error {
	a, err := parseDoctor(args)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return usererr.New(usererr.Denied, "doctor looks where only root may", "sudo dockershctl doctor", nil)
	}
	users := account.New(0)
	h, err := doctor.Look(ctx, users, engines.Open, a.users, progress("looking at users"))
	if err != nil {
		return unknownUser(err)
	}
	r := report{Findings: []doctor.Finding{}}
	for _, f := range doctor.Judge(h) {
		if !slices.Contains(a.accept, f.ID) {
			r.Findings = append(r.Findings, f)
		}
	}
	if !a.noLogin {
		if err := r.logIn(ctx, h, users, a); err != nil {
			return err
		}
	}
	if a.asJSON {
		err = json.NewEncoder(out).Encode(r)
	} else {
		err = r.print(out)
	}
	if err == nil && slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Severity == doctor.Error }) {
		return errFound
	}
	return err
}

func parseDoctor(args []string) (a doctorArgs, err error) {
	var lists []string
	a.users, err = options{"--json": &a.asJSON, "--no-login": &a.noLogin, "--login": &a.login, "--accept": &lists}.parse(args, 0, -1)
	if err != nil {
		return a, err
	}
	for _, list := range lists {
		for _, id := range strings.Split(list, ",") {
			if !slices.Contains(doctor.IDs(), id) {
				return a, fmt.Errorf("%w: no finding is called %q", errMisuse, id)
			}
			a.accept = append(a.accept, id)
		}
	}
	if a.noLogin && a.login != "" {
		return a, fmt.Errorf("%w: --login and --no-login", errMisuse)
	}
	return a, nil
}

// logIn tries a real login. Without anybody to log in there is nothing to say.
func (r *report) logIn(ctx context.Context, h *doctor.Host, users *account.DB, a doctorArgs) error {
	if a.login == "" {
		a.login = h.FirstUser()
	}
	if a.login == "" {
		return nil
	}
	u, err := users.ByName(ctx, a.login)
	if err != nil {
		return unknownUser(err)
	}
	groups, err := users.Groups(ctx, u)
	if err != nil {
		return err
	}
	progress("logging in "+printable.Text(u.Name))(0, 0)
	in, bad := h.Login(ctx, u, groups)
	progress("")(0, 0)
	r.Login = &in
	if bad != nil && !slices.Contains(a.accept, bad.ID) {
		r.Findings = append(r.Findings, *bad)
	}
	return nil
}

func unknownUser(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return usererr.New(usererr.Denied, printable.Text(err.Error()), "getent passwd lists the users of this host", nil)
	}
	return err
}

// progress shows on a terminal, and nowhere else, how far a long step is.
func progress(what string) func(done, all int) {
	return func(done, all int) {
		switch {
		case !tty.Is(2):
		case what == "" || all > 0 && done == all:
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		case all > 0:
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %d of %d", what, done, all)
		default:
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s", what)
		}
	}
}

func (r *report) print(out io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s: ", f.Severity, f.ID)
		if len(f.Users) > 0 {
			fmt.Fprintf(&b, "%s: ", some(f.Users))
		}
		fmt.Fprintf(&b, "%s\n", printable.Text(f.Text))
		for _, line := range f.Lines {
			if len(f.Users) == 1 {
				line = strings.ReplaceAll(line, "USER", quote(f.Users))
			}
			if f.File != "" {
				fmt.Fprintf(&b, "    %s: %s\n", printable.Text(f.File), printable.Text(line))
			} else {
				fmt.Fprintf(&b, "    run: %s\n", printable.Text(line))
			}
		}
		fmt.Fprintf(&b, "    why: %s\n", f.Why)
	}
	if len(r.Findings) == 0 {
		b.WriteString("no findings\n")
	}
	if r.Login != nil && !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.ID == "login" }) {
		fmt.Fprintf(&b, "a login of %s took %.3f s\n", printable.Text(r.Login.User), r.Login.Seconds)
	}
	if r.Login == nil {
		b.WriteString("nobody was logged in\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// some names the first of many users.
func some(users []string) string {
	const most = 3
	shown := users[:min(most, len(users))]
	text := printable.Text(strings.Join(shown, ", "))
	if n := len(users) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}
