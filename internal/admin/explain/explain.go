// Package explain is dockershctl's commands explain and check: it shows what the
// settings mean for a user, and the errors in them.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"text/tabwriter"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// explanation is what a login of a user would do.
type explanation struct {
	User      string    `json:"user"`
	UID       uint32    `json:"uid"`
	Settings  []setting `json:"settings"`
	HostShell string    `json:"hostshell,omitempty"`
	Container string    `json:"container,omitempty"`
	State     string    `json:"state,omitempty"`
	Create    []string  `json:"create,omitempty"`
	Note      string    `json:"note,omitempty"`

	Connection       string `json:"connection"` // what one of ssh joins: a word of joins*
	ConnectionReason string `json:"connection_reason,omitempty"`
}

type setting struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
	Origin string   `json:"origin"`
}

// Explain is the command explain: it decides what a login of a user does, and shows
// that instead of doing it.
func Explain(ctx context.Context, env cli.Env, args []string) error {
	client, asJSON := "", false
	words, err := cli.Options{"--json": &asJSON, "--client": &client}.Parse(args, 1, 1)
	if err == nil {
		client, err = parseClient(client)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	users := installed.Accounts(time.Minute)
	u, err := users.ByName(ctx, words[0])
	if err != nil {
		return cli.WithUserHint(err)
	}
	x, err := explainUser(ctx, env.Engines, users, u, client)
	if err != nil {
		return err
	}
	if asJSON {
		return cli.PrintJSON(env.Out, x)
	}
	return x.print(env.Out)
}

// parseClient returns the client's address as a login has it, or a word in its place
// if none is given.
func parseClient(client string) (string, error) {
	if client == "" {
		return "ADDRESS", nil
	}
	addr, err := netip.ParseAddr(client)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not an IP address", cli.ErrMisuse, client)
	}
	return addr.Unmap().WithZone("").String(), nil
}

func explainUser(ctx context.Context, engines *engine.Clients, users *account.DB, u account.User, client string) (*explanation, error) {
	file, err := installed.Settings()
	if err != nil {
		return nil, err
	}
	login := settings.Login{
		User:     u,
		MemberOf: func(groups []string) ([]string, error) { return users.MemberOf(ctx, u, groups) },
		Address:  func() (string, error) { return client, nil },
	}
	x := &explanation{User: u.Name, UID: u.UID}
	groups, err := users.Groups(ctx, u)
	if err != nil {
		return nil, err
	}
	supplementary := account.Supplementary(groups, u.GID)
	connection, err := decideConnection(file, login, supplementary)
	x.addConnection(connection, err)
	login.UserFile = func(dir string) ([]byte, error) { return ReadUserFile(ctx, u, dir) }
	s, err := settings.For(file, login)
	if err != nil {
		return nil, err
	}
	r := policy.Request{Terminal: true, Admins: s.Admins, Groups: supplementary}
	plan, err := policy.Decide(u, s.Settings, r)
	if err != nil && s.IgnoreUserFile(err) {
		plan, err = policy.Decide(u, s.Settings, r)
	}
	if err != nil {
		return nil, err
	}
	for _, one := range s.Written.All() {
		x.Settings = append(x.Settings, setting{one.Key, one.Values, one.Origin.String()})
	}
	if s.Ignored != "" {
		x.addNote("~/.dockersh is ignored: " + s.Ignored)
	}
	x.HostShell, x.Container = plan.HostShell, plan.Container
	if plan.HostShell != "" {
		return x, nil
	}
	x.explainForwards(plan)
	e, err := engines.Get(plan.Engine())
	if err != nil {
		return nil, err
	}
	if err := x.explainContainer(ctx, e, users, plan, groups); err != nil {
		return nil, err
	}
	if connection != nil && connection.KnownOnly && x.State == stateAbsent {
		x.addConnection(nil, policy.ErrUsersWord)
	}
	return x, nil
}

// stateAbsent is the state of a container that is not there.
const stateAbsent = "absent"

// explainForwards names what keeps the defaults of forwardagent and forwardx11 from having an
// effect.
func (x *explanation) explainForwards(plan *policy.Plan) {
	others := ", which others may enter as " + plan.Settings.ContainerUserName + ", unless "
	if plan.Settings.ForwardAgent && !plan.ForwardsAgent() {
		x.addNote("ssh -A carries no agent into the container" + others + "forwardagent is written")
	}
	if plan.Settings.ForwardX11 && !plan.ForwardsX11() {
		x.addNote("ssh -X carries no display into the container" + others + "forwardx11 is written")
	}
}

// readLimit is how long ~/.dockersh may take: a home may be on a file system that does not
// answer.
const readLimit = 5 * time.Second

// ReadUserFile reads .dockersh in a directory with the user's rights; if it is empty, in the home.
func ReadUserFile(ctx context.Context, u account.User, dir string) ([]byte, error) {
	dir = cmp.Or(dir, u.Home)
	type answer struct {
		text    []byte
		problem string
		err     error
	}
	found := make(chan answer, 1)
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	ended := wait.Until(limited, func() {
		var a answer
		read := func() { a.text, a.problem = readDotfile(dir, int(u.UID)) }
		if os.Geteuid() == int(u.UID) {
			read()
		} else if err := sys.AsUser(int(u.UID), int(u.GID), read); err != nil {
			a.err = fmt.Errorf("reading ~/.dockersh as %s needs root: %w", u.Name, err)
		}
		found <- a
	})
	switch {
	case ended:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	default:
		return nil, usererr.New(usererr.Settings, "~/.dockersh does not answer",
			"to find the file system of "+printable.Text(dir)+", run: findmnt (which does not wait for it)", nil)
	}
	a := <-found
	if a.err != nil {
		return nil, a.err
	}
	return a.text, settings.UserFileError(u, a.problem)
}

// explainContainer adds the state of the container, and how it would be made.
func (x *explanation) explainContainer(ctx context.Context, e engine.Engine, users *account.DB, plan *policy.Plan,
	groups []account.Group) error {
	found, err := e.Find(ctx, plan.Container)
	switch {
	case err == nil:
		x.State = string(found.State)
		switch _, ours, err := plan.Admit(found.Labels, 0); {
		case err != nil:
			x.addNote("logins are refused: " + err.Error())
		case !ours:
			x.addNote("it was made by hand (adopt): sessions go over the engine's exec, and it is not changed")
			return nil
		default:
			x.explainChanges(plan, found)
		}
	case errors.Is(err, engine.ErrNotFound):
		x.State = stateAbsent
		if plan.MayAdopt() {
			x.addNote("logins are refused: with adopt, the container has to be made by hand")
			return nil
		}
		if err := admitImage(ctx, e, plan); err != nil {
			x.addNote("logins are refused: " + err.Error())
		}
	default:
		x.State = "unknown"
		x.addNote(err.Error())
	}
	id, err := plan.ContainerUser(groups, policy.Image{Foreign: plan.ForeignImage()},
		func(name string) (account.User, error) { return users.ByName(ctx, name) })
	if err != nil {
		// The image knows the numbers. Only a login looks into it.
		id = passwd.Identity{Name: plan.Settings.ContainerUserName}
		x.addNote("--user gets the numbers that " + id.Name + " has in the image")
	}
	dir := state.RunDir(paths.Run).Container(plan.Container)
	at := policy.HostPaths{Protocol: wire.AgentVersion, Helpers: paths.Helpers(), Run: dir.Mounted(), Mark: dir.Mark()}
	at.Hostname, _ = os.Hostname()
	if remap, err := e.Remap(ctx); err == nil && remap.On {
		x.addNote(fmt.Sprintf("the engine remaps users: uid 0 inside is uid %d of the host", remap.UID))
		if plan.Settings.MountHome {
			at.Home, at.Owners = dir.Home(), plan.Home(id, groups)
			x.addNote(at.Owners.From + " is mounted at " + at.Home + ", with owners mapped, while the container starts")
		}
	}
	spec := plan.Spec(id, "", at)
	delete(spec.Labels, engine.LabelImage)
	x.Create = e.Command(spec)
	if !plan.Engine().Local() {
		x.addNote("the engine is on another host: sessions go over its exec, and dockersh-init and dockersh-files are copied into it")
	}
	return nil
}

// admitImage decides whether the plan's image may be used, as far as that is known before
// it is pulled.
func admitImage(ctx context.Context, e engine.Engine, plan *policy.Plan) error {
	if image, err := e.Image(ctx, plan.Settings.ImageName); err == nil {
		return plan.AdmitImage(image)
	}
	return plan.AdmitPull(e.ImageNames(plan.Settings.ImageName))
}

func (x *explanation) addNote(text string) {
	if x.Note != "" {
		x.Note += "; "
	}
	x.Note += printable.Text(text)
}

func (x *explanation) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "user %s, uid %d\n\n", printable.Text(x.User), x.UID)
	for _, s := range x.Settings {
		values := s.Values
		if len(values) == 0 {
			values = []string{"-"}
		}
		for i, v := range values {
			key, origin := s.Key, s.Origin
			if i > 0 {
				key, origin = "", ""
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", key, printable.Text(v), printable.Text(origin))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if x.HostShell != "" {
		fmt.Fprintf(out, "\nA login runs %s on the host.\n", printable.Text(x.HostShell))
		x.printConnection(out)
		return nil
	}
	fmt.Fprintf(out, "\nA login enters %s (%s).", x.Container, x.State)
	if len(x.Create) > 0 {
		fmt.Fprintf(out, " It would be made with:\n\n  %s", human.ShellWords(x.Create))
	}
	fmt.Fprintln(out)
	x.printConnection(out)
	if x.Note != "" {
		fmt.Fprintf(out, "\nnote: %s\n", x.Note)
	}
	return nil
}
