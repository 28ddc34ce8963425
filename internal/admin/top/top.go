// Package top is dockershctl's command top: it feeds the screen of package view
// with containers and sessions, and what they use.
package top

import (
	"context"
	"errors"
	"fmt"
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

// Top is the command top: it shows containers and sessions until a key ends it.
func Top(ctx context.Context, env cli.Env, args []string) error {
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
	m := &meter{engines: env.Engines, readings: map[string]reading{}}
	go m.run(ctx)
	if err := view.Run(ctx, screen, view.Backend{Look: m.look, Do: runCommand}); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// runCommand runs another command of dockershctl as a child, so that its output is not
// on the screen, and returns that on one line.
func runCommand(ctx context.Context, a view.Action) (string, error) {
	args := []string{string(a.Verb)}
	if a.Verb == view.Reset {
		args = append(args, "--yes") // the view has asked
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

// meter measures what containers use. It runs beside the listing, since an engine needs
// some milliseconds for each container.
type meter struct {
	engines *engine.Clients

	mu       sync.Mutex
	running  []containers.Container // to measure
	readings map[string]reading     // by the container's id
}

// reading is the newest measurement of a container. cpu is its use between the last
// two, in percent of one processor; view.Unknown after the first.
type reading struct {
	engine.Usage
	cpu float64
}

const (
	measureEvery = 2 * time.Second
	measureLimit = 5 * time.Second // of one container
)

// look returns the containers and sessions that there are, with the newest readings.
func (m *meter) look(ctx context.Context) (view.Data, error) {
	found, down, err := containers.List(ctx, m.engines, false)
	if err != nil {
		return view.Data{}, err
	}
	if len(found) == 0 && len(down) > 0 {
		return view.Data{}, errors.Join(down...)
	}
	d := view.Data{At: time.Now()}
	marks := map[string][]string{}
	for _, c := range found {
		marks[c.Name] = append(marks[c.Name], c.Mark())
	}
	live, _ := sessions.Live(ctx, func(context.Context) map[string][]string { return marks })
	for _, s := range live {
		row := view.Session{ID: s.ID, User: s.User, Container: s.Container, Client: s.Client, TTY: s.TTY,
			Since: s.Since, Idle: view.Unknown}
		if s.Idle != nil {
			row.Idle = time.Duration(*s.Idle) * time.Second
		}
		if s.Unconfirmed {
			row.Container += "?"
		}
		d.Sessions = append(d.Sessions, row)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = m.running[:0]
	for _, c := range found {
		image, _ := c.Base()
		row := view.Container{Name: c.Name, User: c.User(), Image: image, State: string(c.State),
			CPU: view.Unknown, Memory: view.Unknown, Processes: view.Unknown, Idle: view.Unknown, Created: c.Created}
		row.Sessions, row.Idle = countSessions(live, c)
		if r, ok := m.readings[c.ID]; ok && c.State == engine.Running {
			row.CPU, row.Memory, row.Processes = r.cpu, r.Memory, r.Processes
		}
		if c.State == engine.Running {
			m.running = append(m.running, c)
		}
		d.Containers = append(d.Containers, row)
	}
	return d, nil
}

// countSessions returns the number of sessions in a container, and for how long nothing was typed in
// any; view.Unknown without a terminal.
func countSessions(live []sessions.Session, c containers.Container) (in int, idle time.Duration) {
	idle = view.Unknown
	for _, s := range live {
		if !s.In(c.Name, c.Mark()) {
			continue
		}
		in++
		if s.Idle == nil {
			continue
		}
		if d := time.Duration(*s.Idle) * time.Second; idle == view.Unknown || d < idle {
			idle = d
		}
	}
	return in, idle
}

// run measures the running containers every measureEvery, until ctx ends.
func (m *meter) run(ctx context.Context) {
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

// measure returns new readings of containers; those that cannot be measured are missing.
func (m *meter) measure(ctx context.Context, all []containers.Container) map[string]reading {
	readings := map[string]reading{}
	cli.ForEach(all, engine.AtOnce, func(_ int, c containers.Container) {
		one, cancel := context.WithTimeout(ctx, measureLimit)
		defer cancel()
		now, err := c.Usage(one)
		if err != nil {
			return // it has just ended
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		readings[c.ID] = newReading(m.readings[c.ID], now)
	})
	return readings
}

// newReading returns the reading that follows was, which may be the zero reading.
func newReading(was reading, now engine.Usage) reading {
	r := reading{now, view.Unknown}
	if d := now.At.Sub(was.At); !was.At.IsZero() && d > 0 && now.CPU >= was.CPU {
		r.cpu = 100 * float64(now.CPU-was.CPU) / float64(d)
	}
	return r
}
