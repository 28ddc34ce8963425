// Package top is dockershctl's command top: it feeds the view with what there is and
// what it uses.
package top

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/admin/top/view"
	"github.com/dockersh/dockersh/internal/engine"
)

// Top shows containers and sessions until a key ends it.
func Top(ctx context.Context, _ io.Writer, args []string) error {
	if _, err := (cli.Options{}).Parse(args, 0, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot("top"); err != nil {
		return err
	}
	screen, err := tcell.NewScreen()
	if err == nil {
		err = screen.Init()
	}
	if err != nil {
		return fmt.Errorf("top needs a terminal: %w", err)
	}
	defer screen.Fini()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &meters{readings: map[string]reading{}}
	go m.run(ctx)
	if err := view.Run(ctx, screen, view.Desk{Look: m.look, Do: perform}); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// perform runs another command of ours, so that what it says is one line and not
// on the screen.
func perform(ctx context.Context, a view.Action) (string, error) {
	args := []string{string(a.Verb)}
	if a.Verb == view.Reset {
		args = append(args, "--yes") // it was asked
	}
	args = append(args, "--", a.Target)
	if a.Verb == view.Message {
		args = append(args, a.Text)
	}
	out, err := exec.CommandContext(ctx, "/proc/self/exe", args...).CombinedOutput()
	text := strings.Join(strings.Fields(string(out)), " ")
	if err != nil && text == "" {
		return "", err
	}
	return text, nil
}

// meters measure what containers use, beside the listing: an engine takes some
// milliseconds for each.
type meters struct {
	mu       sync.Mutex
	running  []containers.Container
	readings map[string]reading
}

// reading is the last measure of a container; cpu is what it used between the last
// two, in percent of a processor.
type reading struct {
	engine.Usage
	cpu float64
}

const (
	measureEvery = 2 * time.Second
	measureLimit = 5 * time.Second // of one container
)

// look gives what there is now, with the last readings.
func (m *meters) look(ctx context.Context) (view.Data, error) {
	found, down, err := containers.List(ctx, false)
	if err != nil {
		return view.Data{}, err
	}
	if len(found) == 0 && len(down) > 0 {
		return view.Data{}, errors.Join(down...)
	}
	d := view.Data{At: time.Now()}
	idle, people := map[string]time.Duration{}, map[string]int{}
	for _, s := range sessions.Live() {
		row := view.Session{ID: s.ID, User: s.User, Container: s.Container, Client: s.Client, TTY: s.TTY, Since: s.Since, Idle: view.Unknown}
		if s.Idle != nil {
			row.Idle = time.Duration(*s.Idle) * time.Second
			if least, ok := idle[s.Container]; !ok || row.Idle < least {
				idle[s.Container] = row.Idle
			}
		}
		if !s.Waiting {
			people[s.Container]++
		}
		d.Sessions = append(d.Sessions, row)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = m.running[:0]
	for _, b := range found {
		row := view.Container{Name: b.Name, User: b.Labels[engine.LabelUser], Image: b.Image, State: string(b.State), Sessions: people[b.Name],
			CPU: view.Unknown, Memory: view.Unknown, Processes: view.Unknown, Idle: view.Unknown, Created: b.Created}
		if least, ok := idle[b.Name]; ok {
			row.Idle = least
		}
		if r, ok := m.readings[b.ID]; ok && b.State == engine.Running {
			row.CPU, row.Memory, row.Processes = r.cpu, r.Memory, r.Processes
		}
		if b.State == engine.Running {
			m.running = append(m.running, b)
		}
		d.Containers = append(d.Containers, row)
	}
	return d, nil
}

// run measures all that runs, now and then, some at a time.
func (m *meters) run(ctx context.Context) {
	for ctx.Err() == nil {
		m.mu.Lock()
		all := append([]containers.Container(nil), m.running...)
		m.mu.Unlock()
		readings := m.measure(ctx, all)
		m.mu.Lock()
		m.readings = readings
		m.mu.Unlock()
		wait := measureEvery
		if len(all) == 0 {
			wait = measureEvery / 10 // nothing is listed yet
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (m *meters) measure(ctx context.Context, all []containers.Container) map[string]reading {
	readings := map[string]reading{}
	var work sync.WaitGroup
	places := make(chan struct{}, containers.AtOnce)
	for _, b := range all {
		work.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			one, cancel := context.WithTimeout(ctx, measureLimit)
			defer cancel()
			now, err := b.Usage(one)
			if err != nil {
				return // it has just ended
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			readings[b.ID] = usedSince(m.readings[b.ID], now)
		})
	}
	work.Wait()
	return readings
}

// usedSince is a new reading after an older one, which may be zero.
func usedSince(was reading, now engine.Usage) reading {
	r := reading{now, view.Unknown}
	if d := now.At.Sub(was.At); !was.At.IsZero() && d > 0 && now.CPU >= was.CPU {
		r.cpu = 100 * float64(now.CPU-was.CPU) / float64(d)
	}
	return r
}
