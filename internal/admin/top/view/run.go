package view

import (
	"context"
	"time"

	"github.com/gdamore/tcell/v2"
)

const (
	every = 2 * time.Second  // between two looks
	limit = 15 * time.Second // of one look
	work  = 5 * time.Minute  // of one action: an engine may be slow to stop many things
)

// looked is the outcome of a look.
type looked struct {
	data Data
	err  error
}

// Run shows the view on a screen that was initialised, until a key or ctx ends
// it. The screen is the caller's to close.
func Run(ctx context.Context, screen tcell.Screen, desk Desk) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, quit := make(chan tcell.Event, 16), make(chan struct{})
	go screen.ChannelEvents(events, quit)
	defer close(quit)
	looks, done := make(chan looked), make(chan string)
	again := make(chan struct{}, 1)
	go watch(ctx, desk.Look, looks, again)

	m := &model{}
	for {
		draw(screen, m)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l := <-looks:
			if l.err != nil {
				m.failed = "cannot look: " + l.err.Error()
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
				return nil // the terminal is gone
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
					go perform(ctx, desk.Do, *act, done)
				}
			}
		}
	}
}

// watch looks now and then, and when it is told to.
func watch(ctx context.Context, look func(context.Context) (Data, error), to chan<- looked, again <-chan struct{}) {
	for {
		one, cancel := context.WithTimeout(ctx, limit)
		data, err := look(one)
		cancel()
		select {
		case to <- looked{data, err}:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(every):
		case <-again:
		case <-ctx.Done():
			return
		}
	}
}

func perform(ctx context.Context, do func(context.Context, Action) (string, error), a Action, done chan<- string) {
	one, cancel := context.WithTimeout(ctx, work)
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
