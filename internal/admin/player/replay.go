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
)

// Replay is the command replay: it plays a recording.
func Replay(ctx context.Context, env cli.Env, args []string) error {
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
		return withName(name, err)
	}
	s, err := openScreen(env.Out)
	if err != nil {
		return err
	}
	err = p.play(ctx, s, d)
	s.close()
	return withName(name, err)
}

// withName adds the name of the file to an error of its decoder.
func withName(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s is empty: it is not a recording", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// pace is how fast a recording is played.
type pace struct {
	speed float64       // 1: at its own speed
	idle  time.Duration // the longest pause; 0: there is no limit
}

// parse reads the arguments of replay and returns the name of the file.
func (p *pace) parse(args []string) (name string, err error) {
	var speed, idle string
	words, err := cli.Options{"--speed": &speed, "--idle-limit": &idle}.Parse(args, 1, 1)
	if err != nil {
		return "", err
	}
	seconds := 0.
	if p.speed, err = parseNumber("--speed", speed, 1); err == nil {
		seconds, err = parseNumber("--idle-limit", idle, 0)
	}
	p.idle = time.Duration(seconds * float64(time.Second))
	return words[0], err
}

// parseNumber parses the value of an option; standard stands for an empty one.
func parseNumber(option, value string, standard float64) (float64, error) {
	if value == "" {
		return standard, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n > 0 && n <= 1e6) {
		return 0, fmt.Errorf("%w: %s needs a number above 0, not %q", cli.ErrMisuse, option, value)
	}
	return n, nil
}

// play shows each event of a recording at its time, until the end.
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
		halted, goOn := s.sleep(ctx, time.Until(due))
		if !goOn {
			return nil
		}
		due = due.Add(halted)
		if err := s.write(e); err != nil {
			return err
		}
	}
}

// pause returns how long to wait for an event that came d after the one before.
func (p *pace) pause(d time.Duration) time.Duration {
	if p.idle > 0 {
		d = min(d, p.idle)
	}
	return time.Duration(float64(max(d, 0)) / p.speed)
}
