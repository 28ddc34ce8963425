package containers

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// row is a container as ls lists it. A column is three lines: a field here,
// its value in newRow, and its heading in printTable.
type row struct {
	Name     string    `json:"name"`
	User     string    `json:"user"`
	UID      uint32    `json:"uid"`
	UserGone bool      `json:"user_gone,omitempty"` // the account does not exist any more
	Image    string    `json:"image"`
	State    string    `json:"state"`
	Size     *int64    `json:"size,omitempty"` // bytes of its own layer; missing: not requested
	Created  time.Time `json:"created"`
	Sessions int       `json:"sessions"`
	Engine   string    `json:"engine"`
}

func newRow(c Container, sized, gone bool, sessions int) row {
	image, _ := c.Base()
	r := row{
		Name:     c.Name,
		User:     c.User(),
		UID:      c.owner.UID,
		UserGone: gone,
		Image:    image,
		State:    string(c.State),
		Created:  c.Created,
		Sessions: sessions,
		Engine:   c.address.Host,
	}
	if sized {
		r.Size = &c.Size
	}
	return r
}

// Ls is the command ls: it lists the containers of every engine in use.
func Ls(ctx context.Context, env cli.Env, args []string) error {
	var asJSON, quiet, sized bool
	_, err := cli.Options{"--json": &asJSON, "-q": &quiet, "--quiet": &quiet, "-s": &sized, "--size": &sized}.Parse(args, 0, 0)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("ls"); err != nil {
		return err
	}
	found, down, err := listAll(ctx, env.Engines, sized)
	if err != nil {
		return err
	}
	noteLeft(found)
	found = slices.DeleteFunc(found, func(c Container) bool { return c.left })
	live := sessions.NewIndex()
	var all []*engine.Container
	for _, c := range found {
		all = append(all, c.Container)
	}
	gone, err := installed.Gone(ctx, installed.Accounts(0), all)
	down = append(down, err) // the list is complete without
	err = nil
	rows, others := []row{}, &elsewhere{}
	for _, c := range found {
		in, err := live.LiveIn(ctx, c.Name, c.owner.UID, c.Mark())
		if err != nil {
			down = append(down, fmt.Errorf("%s: %w", c.Name, err))
		}
		away, err := others.in(ctx, c)
		if err != nil {
			down = append(down, fmt.Errorf("%s: sessions of other login hosts: %w", c.Name, err))
		}
		rows = append(rows, newRow(c, sized, slices.Contains(gone, c.Container), len(sessions.Shown(in))+away))
	}
	switch {
	case quiet:
		for _, r := range rows {
			fmt.Fprintln(env.Out, r.Name)
		}
	case asJSON:
		err = cli.PrintJSON(env.Out, rows)
	default:
		err = printTable(env.Out, rows)
		noteEnginesOfUsers()
	}
	return cli.Join(append(down, err)...)
}

// noteLeft prints a line for each container that a carry-over left: it may have work in it that
// is nowhere else, so nothing but a removal of its user's container removes it.
func noteLeft(all []Container) {
	for _, c := range all {
		if c.left {
			fmt.Fprintf(os.Stderr, "note: %s was left when a container was carried over; look into it, then run: %s rm -v %s\n",
				printable.Text(c.Name), c.engine.Program(), printable.Text(c.Name))
		}
	}
}

// noteEnginesOfUsers prints a line where the settings name engines of the users' own, which
// could show root anything.
func noteEnginesOfUsers() {
	file, err := installed.Settings()
	if err != nil {
		return
	}
	own, _ := policy.EnginesOfUsers(file)
	for _, at := range own {
		fmt.Fprintf(os.Stderr, "note: containers of users' own engines (dockersocket = %s) are not listed; "+
			"for their users: docker ps -a, podman ps -a\n", printable.Text(at.Host))
	}
}

func (r row) user() string {
	if r.UserGone {
		return r.User + " (gone)"
	}
	return r.User
}

// printTable prints the rows: the size only if it was requested, the engine only if there
// are several.
func printTable(out io.Writer, rows []row) error {
	noSize := !slices.ContainsFunc(rows, func(r row) bool { return r.Size != nil })
	oneEngine := !slices.ContainsFunc(rows, func(r row) bool { return r.Engine != rows[0].Engine })
	return cli.PrintTable(out, rows, []cli.Column[row]{
		{Head: "NAME", Value: func(r row) string { return r.Name }},
		{Head: "USER", Value: row.user},
		{Head: "IMAGE", Value: func(r row) string { return r.Image }},
		{Head: "STATE", Value: func(r row) string { return r.State }},
		{Head: "AGE", Value: func(r row) string { return human.Age(time.Since(r.Created)) }},
		{Head: "SESSIONS", Value: func(r row) string { return strconv.Itoa(r.Sessions) }},
		{Head: "SIZE", Value: func(r row) string { return human.Bytes(*r.Size) }, Hide: noSize},
		{Head: "ENGINE", Value: func(r row) string { return r.Engine }, Hide: oneEngine},
	})
}
