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
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// row is one container in a listing.
type row struct {
	Name     string    `json:"name"`
	User     string    `json:"user"`
	UID      uint32    `json:"uid"`
	Image    string    `json:"image"`
	State    string    `json:"state"`
	Size     *int64    `json:"size,omitempty"` // bytes of its own layer; missing: not asked for
	Created  time.Time `json:"created"`
	Sessions int       `json:"sessions"`
	Engine   string    `json:"engine"`
}

// ls lists the containers of every engine in use.
func Ls(ctx context.Context, out io.Writer, args []string) error {
	var asJSON, quiet, sized bool
	_, err := cli.Options{"--json": &asJSON, "-q": &quiet, "--quiet": &quiet, "-s": &sized, "--size": &sized}.Parse(args, 0, 0)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("ls"); err != nil {
		return err
	}
	found, down, err := List(ctx, sized)
	if err != nil {
		return err
	}
	people := map[string]int{}
	for _, r := range sessions.Entries() {
		if !r.Coming {
			people[r.Container]++
		}
	}
	rows := []row{}
	for _, c := range found {
		r := row{Name: c.Name, User: c.Labels[engine.LabelUser], UID: c.owner.UID, Image: c.Image, State: string(c.State),
			Created: c.Created, Engine: c.at.Host, Sessions: people[c.Name]}
		if sized {
			r.Size = &c.Size
		}
		rows = append(rows, r)
	}
	switch {
	case quiet:
		for _, r := range rows {
			fmt.Fprintln(out, r.Name)
		}
	case asJSON:
		err = json.NewEncoder(out).Encode(rows)
	default:
		err = printRows(out, rows)
	}
	return cli.Join(append(down, err)...)
}

// printRows shows columns only that say something: the size if it was asked for,
// the engine if there are several.
func printRows(out io.Writer, rows []row) error {
	head := []string{"NAME", "USER", "IMAGE", "STATE", "AGE", "SESSIONS"}
	sized := slices.ContainsFunc(rows, func(r row) bool { return r.Size != nil })
	several := slices.ContainsFunc(rows, func(r row) bool { return r.Engine != rows[0].Engine })
	if sized {
		head = append(head, "SIZE")
	}
	if several {
		head = append(head, "ENGINE")
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		fields := []string{r.Name, printable.Text(r.User), printable.Text(r.Image), r.State, human.Age(time.Since(r.Created)), strconv.Itoa(r.Sessions)}
		if sized {
			fields = append(fields, human.Bytes(*r.Size))
		}
		if several {
			fields = append(fields, printable.Text(r.Engine))
		}
		fmt.Fprintln(w, strings.Join(fields, "\t"))
	}
	return w.Flush()
}
