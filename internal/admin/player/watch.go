package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// watch shows a live session, by its recording: what it has shown until now at
// once, and then what comes.
func Watch(ctx context.Context, out io.Writer, args []string) error {
	words, err := (cli.Options{}).Parse(args, 1, 1)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("watch"); err != nil {
		return err
	}
	r, err := watched(sessions.Of(paths.Run).All(), words[0])
	if err != nil {
		return err
	}
	f, err := os.Open(r.Recording)
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := openScreen(out)
	if err != nil {
		return err
	}
	go func() {
		for k := range s.keys {
			if k == ctrlC {
				cancel()
			}
		}
	}()
	err = show(s, asciicast.NewDecoder(&follow{ctx: ctx, file: f, live: r.Live}))
	s.close()
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, io.EOF):
		fmt.Fprintln(os.Stderr, "dockershctl: the session has ended")
		return nil
	}
	return fmt.Errorf("%s: %w", r.Recording, err)
}

// watched finds the session of an id, or the one of a container.
func watched(all []sessions.Record, word string) (sessions.Record, error) {
	var in, recorded []sessions.Record
	var known []string
	for _, r := range all {
		known = append(known, r.ID, r.Container)
		if r.ID != word && r.Container != word {
			continue
		}
		in = append(in, r)
		if r.Recording != "" {
			recorded = append(recorded, r)
		}
	}
	switch {
	case len(in) == 0:
		return sessions.Record{}, cli.Unknown("no live session is "+printable.Text(word)+", or in a container of that name", word, known, "dockershctl sessions")
	case len(recorded) == 0:
		return sessions.Record{}, usererr.New(usererr.Denied, "the session of "+printable.Text(in[0].User)+" in "+in[0].Container+" is not recorded",
			"only what is recorded can be watched: set record in "+paths.Settings()[0]+", for sessions on a terminal that begin from then on", nil)
	case len(recorded) > 1:
		var ids []string
		for _, r := range recorded {
			ids = append(ids, r.ID+" ("+printable.Text(r.User)+")")
		}
		return sessions.Record{}, usererr.New(usererr.Denied, fmt.Sprintf("%d sessions are recorded in %s", len(ids), word),
			"name one of them: "+strings.Join(ids, ", "), nil)
	}
	return recorded[0], nil
}

// show shows every event as it comes. The error is never nil: io.EOF at the end of
// the session.
func show(s *screen, d *asciicast.Decoder) error {
	h, err := d.Header()
	if err != nil {
		return err
	}
	s.fits(h.Width, h.Height)
	for {
		e, err := d.Next()
		if err != nil {
			return err
		}
		if w, h, ok := e.Size(); ok {
			s.fits(w, h)
		}
		if err := s.write(e); err != nil {
			return err
		}
	}
}

// fits says if the session's terminal is larger than ours.
func (s *screen) fits(width, height int) {
	if !s.terminal {
		return
	}
	rows, cols, err := tty.Size(1)
	if err == nil && (width > int(cols) || height > int(rows)) {
		fmt.Fprintf(os.Stderr, "\r\ndockershctl: the session's terminal has %d rows and %d columns, and this one %d and %d\r\n", height, width, rows, cols)
	}
}
