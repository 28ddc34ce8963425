package view

import (
	"context"
	"time"

	"github.com/gdamore/tcell/v2"
)

const (
	pollInterval = 2 * time.Second
	pollLimit    = 15 * time.Second
	actionLimit  = 5 * time.Minute // an engine may be slow to stop a container
)

// pollResult is what Backend.Look returned.
type pollResult struct {
	data Data
	err  error
}

// Run shows the view on an initialised screen until a key or ctx ends it. The caller
// closes the screen.
func Run(ctx context.Context, screen tcell.Screen, backend Backend) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, quit := make(chan tcell.Event, 16), make(chan struct{})
	go screen.ChannelEvents(events, quit)
	defer close(quit)
	results, done := make(chan pollResult), make(chan string)
	again := make(chan struct{}, 1)
	go poll(ctx, backend.Look, results, again)

	m := &model{}
	for {
		draw(screen, m)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l := <-results:
			if l.err != nil {
				m.failed = "cannot refresh: " + l.err.Error()
			} else {
				m.set(l.data)
			}
		case text := <-done:
			m.status = text
			select {
			case again <- struct{}{}:
			default:
			}
		case ev, open := <-events:
			if !open {
				return nil // the terminal was closed
			}
			switch ev := ev.(type) {
			case *tcell.EventResize:
				screen.Sync()
			case *tcell.EventKey:
				_, high := screen.Size()
				act, over := m.key(ev, max(1, high-around))
				if over {
					return nil
				}
				if act != nil {
					m.status = string(act.Verb) + " " + act.Target + " ..."
					go perform(ctx, backend.Do, *act, done)
				}
			}
		}
	}
}

// poll calls look every pollInterval, and whenever it receives from again.
func poll(ctx context.Context, look func(context.Context) (Data, error), to chan<- pollResult, again <-chan struct{}) {
	for {
		one, cancel := context.WithTimeout(ctx, pollLimit)
		data, err := look(one)
		cancel()
		select {
		case to <- pollResult{data, err}:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(pollInterval):
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

func perform(ctx context.Context, do func(context.Context, Action) (string, error), a Action, done chan<- string) {
	one, cancel := context.WithTimeout(ctx, actionLimit)
	defer cancel()
	text, err := do(one, a)
	if err != nil {
		text = string(a.Verb) + " " + a.Target + ": " + err.Error()
	}
	select {
	case done <- text:
	case <-ctx.Done():
	}
}

func draw(screen tcell.Screen, m *model) {
	wide, high := screen.Size()
	screen.Clear()
	for y, l := range m.view(high) {
		if y >= high {
			break
		}
		x := 0
		for _, r := range l.text {
			if x >= wide {
				break
			}
			screen.SetContent(x, y, r, nil, l.style)
			x++
		}
		for ; x < wide && l.style == selected; x++ {
			screen.SetContent(x, y, ' ', nil, l.style)
		}
	}
	screen.Show()
}
