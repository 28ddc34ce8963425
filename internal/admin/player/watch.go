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
	"github.com/dockersh/dockersh/internal/root/state"
)

// Watch is the command watch: it shows a live session by its recording, which is
// shown at once as far as it has come, and then as it grows.
func Watch(ctx context.Context, env cli.Env, args []string) error {
	words, err := (cli.Options{}).Parse(args, 1, 1)
	if err != nil {
		return err
	}
	if err := cli.RequireRoot("watch"); err != nil {
		return err
	}
	r, err := findRecorded(state.RunDir(paths.Run).Sessions().Live(), words[0])
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
	s, err := openScreen(env.Out)
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
	err = show(s, asciicast.NewDecoder(&follower{ctx: ctx, file: f, live: r.IsLive}))
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

// findRecorded returns the recorded session with an id, or the only one in a container.
func findRecorded(all []state.Session, word string) (state.Session, error) {
	var in, recorded []state.Session
	var known []string
	for _, s := range all {
		known = append(known, s.ID, s.Container)
		if s.ID != word && s.Container != word {
			continue
		}
		in = append(in, s)
		if s.Recording != "" {
			recorded = append(recorded, s)
		}
	}
	switch {
	case len(in) == 0:
		return state.Session{}, cli.UnknownSession(word, known)
	case len(recorded) == 0:
		return state.Session{}, usererr.New(usererr.Denied,
			"the session of "+printable.Text(in[0].User)+" in "+in[0].Container+" is not recorded",
			"to have later sessions on a terminal recorded, set record in "+paths.Settings()[0]+"; see dockershrc(5)", nil)
	case len(recorded) > 1:
		var ids []string
		for _, s := range recorded {
			ids = append(ids, s.ID+" ("+printable.Text(s.User)+")")
		}
		return state.Session{}, usererr.New(usererr.Denied, fmt.Sprintf("%d sessions in %s are recorded", len(ids), word),
			"name one of them: "+strings.Join(ids, ", "), nil)
	}
	return recorded[0], nil
}

// show shows every event as it comes. It returns io.EOF at the end of the session, or
// another error; never nil.
func show(s *screen, d *asciicast.Decoder) error {
	h, err := d.Header()
	if err != nil {
		return err
	}
	s.checkSize(h.Width, h.Height)
	for {
		e, err := d.Next()
		if err != nil {
			return err
		}
		if w, h, ok := e.Size(); ok {
			s.checkSize(w, h)
		}
		if err := s.write(e); err != nil {
			return err
		}
	}
}

// checkSize prints a warning if the session's terminal is larger than this one.
func (s *screen) checkSize(width, height int) {
	if !s.terminal {
		return
	}
	rows, cols, err := tty.Size(1)
	if err == nil && (width > int(cols) || height > int(rows)) {
		fmt.Fprintf(os.Stderr, "\r\ndockershctl: the session's terminal has %d rows and %d columns, this one has %d and %d\r\n",
			height, width, rows, cols)
	}
}
