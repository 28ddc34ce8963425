package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"dockersh/internal/engine"
	"dockersh/internal/engine/docker"
	"dockersh/internal/paths"
	"dockersh/internal/policy"
	"dockersh/internal/rundir"
	"dockersh/internal/sessions"
	"dockersh/internal/settings"
)

// row is one container in a listing.
type row struct {
	Name     string    `json:"name"`
	User     string    `json:"user"`
	UID      int       `json:"uid"`
	Image    string    `json:"image"`
	State    string    `json:"state"`
	Size     int64     `json:"size"` // bytes of its own layer
	Created  time.Time `json:"created"`
	Sessions int       `json:"sessions"`
}

// ls lists the containers of the engine that the [dockersh] section names.
func ls(ctx context.Context, out io.Writer, args []string) error {
	asJSON := false
	if _, err := (options{"--json": &asJSON}).parse(args, 0, 0); err != nil {
		return err
	}
	e, at, err := defaultEngine()
	if err != nil {
		return err
	}
	found, err := e.List(ctx, true)
	if err != nil {
		return err
	}
	rows := []row{}
	for _, c := range found {
		uid, _ := strconv.Atoi(c.Labels[engine.LabelOwner]) // a broken label shows as 0 with its user's name
		rows = append(rows, row{
			Name: c.Name, User: c.Labels[engine.LabelUser], UID: uid, Image: c.Image, State: string(c.State),
			Size: c.Size, Created: c.Created, Sessions: live(at, c.Name),
		})
	}
	if asJSON {
		return json.NewEncoder(out).Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tUSER\tIMAGE\tSTATE\tSIZE\tAGE\tSESSIONS")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r.Name, clean(r.User), clean(r.Image), r.State, size(r.Size), age(time.Since(r.Created)), r.Sessions)
	}
	return w.Flush()
}

// defaultEngine is the engine of the [dockersh] section.
func defaultEngine() (engine.Engine, engine.Address, error) {
	file, err := (&settings.Source{Paths: paths.Settings()}).Load()
	if err != nil {
		return nil, engine.Address{}, err
	}
	s, err := file.Effective("", func(string) bool { return false }, nil)
	if err != nil {
		return nil, engine.Address{}, err
	}
	at := policy.EngineOf(s)
	e, err := docker.Open(at)
	return e, at, err
}

// live is the number of sessions in a container: what its agents say, or, where
// there is none, what the broker has noted.
func live(at engine.Address, container string) int {
	if at.Local() {
		return rundir.Of(paths.Run, container).Sessions()
	}
	n, _ := sessions.Of(paths.Run).In(container)
	return n
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
