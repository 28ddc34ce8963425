package frames

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// halfOpen is a socket that keeps what is written to it, and has nothing to read until it is closed.
type halfOpen struct {
	net.Conn
	shut chan struct{}
}

func (h halfOpen) CloseWrite() error { close(h.shut); return nil }

func TestFramesOfConnectionsThatDoNotBelongAreRefused(t *testing.T) {
	open := func(c *Connections, id uint32) error {
		return c.Open(Number(id), func() (Socket, error) { return nil, errors.New("none") })
	}
	silent := func(c *Connections, id uint32) error {
		return c.Open(Number(id), func() (Socket, error) {
			one, _ := net.Pipe() // nobody reads
			return halfOpen{one, make(chan struct{})}, nil
		})
	}
	for what, do := range map[string]func(c *Connections) error{
		"bytes of none":      func(c *Connections) error { return c.Take(Bytes, Number(1)) },
		"end of none":        func(c *Connections) error { return c.Take(Shut, Number(1)) },
		"no number":          func(c *Connections) error { return c.Take(Bytes, []byte("x")) },
		"open without one":   func(c *Connections) error { return c.Open(nil, nil) },
		"the same one twice": func(c *Connections) error { return errors.Join(silent(c, 1), silent(c, 1)) },
		"got more than sent": func(c *Connections) error {
			return errors.Join(silent(c, 1), c.Take(Got, append(Number(1), Number(1)...)))
		},
		"bytes after the end": func(c *Connections) error {
			return errors.Join(silent(c, 1), c.Take(Shut, Number(1)), c.Take(Bytes, append(Number(1), 'x')))
		},
		"too many": func(c *Connections) (err error) {
			for id := range uint32(MaxConnections + 1) {
				err = errors.Join(err, silent(c, id+1))
			}
			return err
		},
		"more than a window": func(c *Connections) (err error) {
			if err := silent(c, 1); err != nil {
				return nil
			}
			for range 3 { // the first may be taken at once
				err = errors.Join(err, c.Take(Bytes, append(Number(1), make([]byte, connectionWindow)...)))
			}
			return err
		},
	} {
		c := NewConnections(func(Kind, []byte) {})
		if err := do(c); !errors.Is(err, ErrFrame) {
			t.Errorf("%s: %v", what, err)
		}
		c.End()
	}
	// What comes late of a connection that has ended does no harm.
	ended := make(chan struct{}, 1)
	c := NewConnections(func(k Kind, _ []byte) {
		if k == Shut {
			ended <- struct{}{}
		}
	})
	if err := errors.Join(open(c, 1), c.Take(Bytes, append(Number(1), 'x')), c.Take(Shut, Number(1))); err != nil {
		t.Error(err)
	}
	<-ended
	if err := c.Take(Got, append(Number(1), Number(1)...)); err != nil && !errors.Is(err, ErrFrame) {
		t.Error(err)
	}
}

func TestConnectionsEndWithTheSession(t *testing.T) {
	c := NewConnections(func(Kind, []byte) {})
	one, other := net.Pipe()
	if err := c.Open(Number(1), func() (Socket, error) { return halfOpen{one, make(chan struct{})}, nil }); err != nil {
		t.Fatal(err)
	}
	c.End()
	_ = other.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := other.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v", err)
	}
	if err := c.Open(Number(2), func() (Socket, error) { return nowhere{}, nil }); !errors.Is(err, ErrFrame) {
		t.Errorf("%v", err)
	}
}

// slow is a socket at its end, which takes its time to be closed.
type slow struct {
	nowhere
	closes chan struct{}
}

func (s slow) Close() error { <-s.closes; return nil }

// The other side has a place for the next connection as soon as it knows of the end of one.
func TestConnectionThatHasEndedTakesNoPlace(t *testing.T) {
	ended := make(chan struct{}, 3*MaxConnections)
	c := NewConnections(func(k Kind, _ []byte) {
		if k == Shut {
			ended <- struct{}{}
		}
	})
	closes := make(chan struct{})
	defer close(closes)
	open := func(id uint32) error {
		return c.Open(Number(id), func() (Socket, error) { return slow{closes: closes}, nil })
	}
	for id := range uint32(2 * MaxConnections) {
		if err := open(id); err != nil {
			t.Fatalf("connection %d: %v", id, err)
		}
		<-ended
		if err := c.Take(Shut, Number(id)); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(2 * MaxConnections); !errors.Is(err, ErrFrame) { // whatever the other side says of them
		t.Errorf("no limit: %v", err)
	}
}
