package containers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// row is a container as ls lists it. A column is a field here and a line in printTable.
type row struct {
	Name     string    `json:"name"`
	User     string    `json:"user"`
	UID      uint32    `json:"uid"`
	Image    string    `json:"image"`
	State    string    `json:"state"`
	Size     *int64    `json:"size,omitempty"` // bytes of its own layer; missing: not requested
	Created  time.Time `json:"created"`
	Sessions int       `json:"sessions"`
	Engine   string    `json:"engine"`
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
	found, down, err := List(ctx, env.Engines, sized)
	if err != nil {
		return err
	}
	in := map[string]int{}
	for _, r := range sessions.Entries() {
		if !r.Waiting {
			in[r.Container]++
		}
	}
	rows := []row{}
	for _, c := range found {
		r := row{Name: c.Name, User: c.User(), UID: c.owner.UID, Image: c.Image, State: string(c.State),
			Created: c.Created, Engine: c.address.Host, Sessions: in[c.Name]}
		if sized {
			r.Size = &c.Size
		}
		rows = append(rows, r)
	}
	switch {
	case quiet:
		for _, r := range rows {
			fmt.Fprintln(env.Out, r.Name)
		}
	case asJSON:
		err = json.NewEncoder(env.Out).Encode(rows)
	default:
		err = printTable(env.Out, rows)
	}
	return cli.Join(append(down, err)...)
}

// printTable prints a column for each thing to know; the size only if it was requested,
// and the engine only if there are several.
func printTable(out io.Writer, rows []row) error {
	columns := []struct {
		head  string
		shown bool
		value func(row) string
	}{
		{"NAME", true, func(r row) string { return r.Name }},
		{"USER", true, func(r row) string { return r.User }},
		{"IMAGE", true, func(r row) string { return r.Image }},
		{"STATE", true, func(r row) string { return r.State }},
		{"AGE", true, func(r row) string { return human.Age(time.Since(r.Created)) }},
		{"SESSIONS", true, func(r row) string { return strconv.Itoa(r.Sessions) }},
		{"SIZE", slices.ContainsFunc(rows, func(r row) bool { return r.Size != nil }), func(r row) string { return human.Bytes(*r.Size) }},
		{"ENGINE", slices.ContainsFunc(rows, func(r row) bool { return r.Engine != rows[0].Engine }), func(r row) string { return r.Engine }},
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for n := -1; n < len(rows); n++ {
		var cells []string
		for _, c := range columns {
			switch {
			case !c.shown:
			case n < 0:
				cells = append(cells, c.head)
			default:
				cells = append(cells, printable.Text(c.value(rows[n])))
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}
