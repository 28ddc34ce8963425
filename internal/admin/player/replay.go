package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/proto/asciicast"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// replay plays a recording.
func Replay(ctx context.Context, out io.Writer, args []string) error {
	var p pace
	name, err := p.parse(args)
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d := asciicast.NewDecoder(f)
	if _, err := d.Header(); err != nil {
		return notRecording(name, err)
	}
	s, err := openScreen(out)
	if err != nil {
		return err
	}
	err = p.play(ctx, s, d)
	s.close()
	if err != nil {
		return notRecording(name, err)
	}
	return nil
}

func notRecording(name string, err error) error {
	if errors.Is(err, io.EOF) {
		return usererr.New(usererr.Settings, name+": nothing is recorded in it", "", nil)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// pace is how fast a recording is played.
type pace struct {
	speed float64       // 1: as it was
	idle  time.Duration // no pause is longer than that; 0: they are as they were
}

// parse reads the command line.
func (p *pace) parse(args []string) (name string, err error) {
	var speed, idle string
	words, err := cli.Options{"--speed": &speed, "--idle-limit": &idle}.Parse(args, 1, 1)
	if err != nil {
		return "", err
	}
	seconds := 0.
	if p.speed, err = number("--speed", speed, 1); err == nil {
		seconds, err = number("--idle-limit", idle, 0)
	}
	p.idle = time.Duration(seconds * float64(time.Second))
	return words[0], err
}

// number reads the value of an option that was given.
func number(option, value string, otherwise float64) (float64, error) {
	if value == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n > 0 && n <= 1e6) {
		return 0, fmt.Errorf("%w: %s wants a number above 0, and not %q", cli.ErrMisuse, option, value)
	}
	return n, nil
}

// play shows what is recorded, each event at its time, until the end.
func (p *pace) play(ctx context.Context, s *screen, d *asciicast.Decoder) error {
	due, last := time.Now(), time.Duration(0)
	for {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		due = due.Add(p.pause(e.At - last))
		last = e.At
		longer, on := s.sleep(ctx, time.Until(due))
		if !on {
			return nil
		}
		due = due.Add(longer)
		if err := s.write(e); err != nil {
			return err
		}
	}
}

// pause is how long to wait for an event that came d after the last.
func (p *pace) pause(d time.Duration) time.Duration {
	if p.idle > 0 {
		d = min(d, p.idle)
	}
	return time.Duration(float64(max(d, 0)) / p.speed)
}
