package admin

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

	"dockersh/internal/engine"
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
func ls(ctx context.Context, out io.Writer, args []string) error {
	var asJSON, quiet, sized bool
	_, err := options{"--json": &asJSON, "-q": &quiet, "--quiet": &quiet, "-s": &sized, "--size": &sized}.parse(args, 0, 0)
	if err != nil {
		return err
	}
	if err := mustBeRoot("ls"); err != nil {
		return err
	}
	found, down, err := fleet(ctx, sized)
	if err != nil {
		return err
	}
	people := map[string]int{}
	for _, r := range records() {
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
	return together(append(down, err)...)
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
		fields := []string{r.Name, clean(r.User), clean(r.Image), r.State, age(time.Since(r.Created)), strconv.Itoa(r.Sessions)}
		if sized {
			fields = append(fields, size(*r.Size))
		}
		if several {
			fields = append(fields, clean(r.Engine))
		}
		fmt.Fprintln(w, strings.Join(fields, "\t"))
	}
	return w.Flush()
}

// size in the units of docker's listings.
func size(n int64) string {
	if n < 0 {
		return "-"
	}
	f, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1000, u
	}
	return strconv.FormatFloat(f, 'g', 3, 64) + unit
}

// age in its largest unit.
func age(d time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= u.d {
			return strconv.Itoa(int(d/u.d)) + u.name
		}
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// clean keeps a foreign string from steering the administrator's terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
