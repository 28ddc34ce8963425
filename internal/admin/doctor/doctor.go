// Package doctor is dockershctl's commands doctor and sshd-config: it has package look gather
// facts and package checks judge them, tries a login, and prints the lines of sshd_config with
// which the checks pass.
package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/doctor/checks"
	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/look"
	"github.com/dockersh/dockersh/internal/admin/doctor/reach"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// report is the output of doctor.
type report struct {
	Findings []checks.Finding `json:"findings"`
	Login    *loginResult     `json:"login,omitempty"` // missing: none was tried
}

// doctorArgs are the arguments of doctor.
type doctorArgs struct {
	users, accept   []string
	login           string
	noLogin, asJSON bool
}

// Doctor is the command doctor: it judges the host, and logs a user in.
func Doctor(ctx context.Context, env cli.Env, args []string) error {
	a, err := parseDoctor(args)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("doctor"); err != nil {
		return err
	}
	users := installed.Accounts(0)
	h, err := look.Host(ctx, users, env.Engines.Open, a.users, cli.Progress("looking at users"))
	if err != nil {
		return cli.WithUserHint(err)
	}
	r := report{Findings: []checks.Finding{}}
	for _, f := range checks.Judge(h) {
		if !slices.Contains(a.accept, f.ID) {
			r.Findings = append(r.Findings, f)
		}
	}
	if !a.noLogin {
		if err := r.logIn(ctx, h, users, a); err != nil {
			return err
		}
		r.connect(ctx, h, env.Engines.Open, a)
		r.reach(ctx, h, env.Engines.Open, a)
	}
	if a.asJSON {
		err = cli.PrintJSON(env.Out, r)
	} else {
		err = r.print(env.Out)
	}
	if err == nil && slices.ContainsFunc(r.Findings, func(f checks.Finding) bool { return f.Severity == checks.Error }) {
		return cli.ErrReported
	}
	return err
}

// IDs returns the names of all findings.
func IDs() []string { return slices.Concat(checks.IDs(), []string{loginID}, reach.IDs()) }

// parseDoctor parses the arguments of doctor.
func parseDoctor(args []string) (a doctorArgs, err error) {
	var lists []string
	a.users, err = cli.Options{"--json": &a.asJSON, "--no-login": &a.noLogin, "--login": &a.login, "--accept": &lists}.Parse(args, 0, -1)
	if err != nil {
		return a, err
	}
	for _, list := range lists {
		for _, id := range strings.Split(list, ",") {
			if !slices.Contains(IDs(), id) {
				return a, fmt.Errorf("%w: no finding has the name %q", cli.ErrMisuse, id)
			}
			a.accept = append(a.accept, id)
		}
	}
	if a.noLogin && a.login != "" {
		return a, fmt.Errorf("%w: --login and --no-login exclude each other", cli.ErrMisuse)
	}
	return a, nil
}

// logIn tries a real login and adds the outcome to the report, unless there is nobody to
// log in.
func (r *report) logIn(ctx context.Context, h *facts.Host, users *account.DB, a doctorArgs) error {
	if a.login == "" {
		a.login = firstUser(h)
	}
	if a.login == "" {
		return nil
	}
	u, err := users.ByName(ctx, a.login)
	if err != nil {
		return cli.WithUserHint(err)
	}
	groups, err := users.Groups(ctx, u)
	if err != nil {
		return err
	}
	cli.Progress("logging in "+printable.Text(u.Name))(0, 0)
	var failed *checks.Finding
	if !look.Answers(ctx, u.Home+"/.dockersh") {
		failed = failedLogin(u, u.Home+" does not answer")
	} else {
		var result loginResult
		result, failed = login(ctx, h, u, groups)
		r.Login = &result
	}
	cli.ClearProgress()
	if failed != nil && !slices.Contains(a.accept, failed.ID) {
		r.Findings = append(r.Findings, *failed)
	}
	return nil
}

// connect tries the forwards of the user who was logged in, if they belong into a container.
func (r *report) connect(ctx context.Context, h *facts.Host, open engine.Opener, a doctorArgs) {
	u := r.loggedIn(h)
	if u == nil || slices.Contains(a.accept, reach.ConnectionID) || !reach.MayConnect(h, u) {
		return
	}
	cli.Progress("trying the forwards of "+printable.Text(u.Name))(0, 0)
	failed := reach.Connect(ctx, h, u, open)
	cli.ClearProgress()
	if failed != nil {
		r.Findings = append(r.Findings, *failed)
	}
}

// reach tries what the container of the user who was logged in reaches.
func (r *report) reach(ctx context.Context, h *facts.Host, open engine.Opener, a doctorArgs) {
	u := r.loggedIn(h)
	if u == nil || !reach.Possible(u) {
		return
	}
	cli.Progress("trying what the container of "+printable.Text(u.Name)+" reaches")(0, 0)
	found := reach.Try(ctx, u, open)
	cli.ClearProgress()
	for _, f := range found {
		if !slices.Contains(a.accept, f.ID) {
			r.Findings = append(r.Findings, f)
		}
	}
}

// loggedIn returns the user whose login succeeded; nil if there is none.
func (r *report) loggedIn(h *facts.Host) *facts.User {
	if r.Login == nil || slices.ContainsFunc(r.Findings, func(f checks.Finding) bool { return f.ID == loginID }) {
		return nil
	}
	i := slices.IndexFunc(h.Users, func(u *facts.User) bool { return u.Name == r.Login.User })
	if i < 0 {
		return nil
	}
	return h.Users[i]
}

func (r *report) print(out io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s: ", f.Severity, f.ID)
		if len(f.Users) > 0 {
			fmt.Fprintf(&b, "%s: ", human.FirstThree(f.Users))
		}
		fmt.Fprintf(&b, "%s\n", printable.Text(f.Text))
		for _, line := range f.Lines {
			if len(f.Users) == 1 {
				line = strings.ReplaceAll(line, "USER", human.ShellWords(f.Users))
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
	if r.Login != nil && !slices.ContainsFunc(r.Findings, func(f checks.Finding) bool { return f.ID == loginID }) {
		fmt.Fprintf(&b, "a login of %s took %.3f s\n", printable.Text(r.Login.User), r.Login.Seconds)
	}
	if r.Login == nil {
		b.WriteString("nobody was logged in\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
