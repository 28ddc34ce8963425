package frames

import (
	"io"
	"sync"
)

const (
	// MaxConnections is how many connections there are at a time beside a session.
	MaxConnections = 64
	// connectionWindow is a Window of one of them, in bytes.
	connectionWindow = 16 << 10
)

// A Socket is the end of a connection on one side.
type Socket interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// Connections are those beside a session, which programs in the container make to a socket of the
// client's host, such as its ssh agent.
type Connections struct {
	send func(k Kind, data []byte)

	mu     sync.Mutex
	live   map[uint32]*connection
	last   uint32
	ended  bool
	places chan struct{} // one for each that is live, on the side that has them Opened
}

// NewConnections returns those of a session that begins. Send sends a frame, and may wait.
func NewConnections(send func(k Kind, data []byte)) *Connections {
	return &Connections{send: send, live: map[uint32]*connection{}, places: make(chan struct{}, MaxConnections)}
}

// Serve opens a connection for each that accept returns, until that fails.
func (c *Connections) Serve(accept func() (Socket, error)) {
	for {
		c.places <- struct{}{}
		s, err := accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.last++
		id := c.last
		c.mu.Unlock()
		if one := c.add(id, s); one != nil {
			c.send(Opened, Number(id))
			one.carry(func() { <-c.places })
		}
	}
}

// Open makes the other side of a connection that was Opened; ErrFrame where there may be none.
func (c *Connections) Open(data []byte, connect func() (Socket, error)) error {
	id, err := ParseNumber(data)
	if err != nil {
		return err
	}
	if c.isFull() {
		return ErrFrame
	}
	s, err := connect()
	if err != nil {
		s = nowhere{}
	}
	one := c.add(id, s)
	if one == nil {
		return ErrFrame
	}
	one.carry(func() {})
	return nil
}

// isFull reports whether there may not be another connection. The other side opens one as soon as it
// has sent and received the Shut of an earlier one, which may not be closed here yet.
func (c *Connections) isFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, one := range c.live {
		if !one.hasEnded() {
			n++
		}
	}
	return n >= MaxConnections || len(c.live) >= 2*MaxConnections
}

// Take takes a frame of a connection. It never waits for a program.
func (c *Connections) Take(k Kind, data []byte) error {
	if len(data) < 4 {
		return ErrFrame
	}
	id, _ := ParseNumber(data[:4])
	c.mu.Lock()
	one := c.live[id]
	c.mu.Unlock()
	switch {
	case one == nil && k == Got: // of the last bytes
		return nil
	case one == nil:
		return ErrFrame
	case k == Got:
		return one.credit.Taken(data[4:])
	}
	return one.take(k, data[4:])
}

// End ends them all.
func (c *Connections) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, one := range c.live {
		one.end()
	}
}

// add returns nil, and closes the socket, where there is that connection or where all have ended.
func (c *Connections) add(id uint32, s Socket) *connection {
	one := &connection{of: c, id: id, socket: s, credit: newCredit(connectionWindow)}
	one.changed = sync.NewCond(&one.mu)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.live[id] != nil {
		_ = s.Close()
		return nil
	}
	c.live[id] = one
	return one
}

func (c *Connections) remove(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, one.id)
}

// connection is one of them on this side.
type connection struct {
	of     *Connections
	id     uint32
	socket Socket
	credit *Credit // of what is sent

	mu      sync.Mutex
	changed *sync.Cond
	waiting []byte // what the socket has not taken yet
	shut    bool   // by the other side
	hasShut bool   // this side has sent Shut, or is about to
}

// carry carries both directions until both have ended, and then calls over.
func (c *connection) carry(over func()) {
	go func() {
		var both sync.WaitGroup
		both.Go(c.read)
		both.Go(c.write)
		both.Wait()
		_ = c.socket.Close()
		c.of.remove(c)
		over()
	}()
}

// read sends what comes from the socket.
func (c *connection) read() {
	buf := make([]byte, connectionWindow)
	for {
		n, err := c.socket.Read(buf)
		for p := buf[:n]; len(p) > 0; {
			m := c.credit.Use(len(p))
			if m == 0 {
				return
			}
			c.of.send(Bytes, append(Number(c.id), p[:m]...))
			p = p[m:]
		}
		if err != nil {
			c.mu.Lock()
			c.hasShut = true
			c.mu.Unlock()
			c.of.send(Shut, Number(c.id))
			return
		}
	}
}

// hasEnded reports whether no more will be sent or received of it.
func (c *connection) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shut && c.hasShut
}

// write passes on to the socket what came. One that takes no more ends the other direction, too.
func (c *connection) write() {
	for {
		p := c.next()
		if p == nil {
			_ = c.socket.CloseWrite()
			return
		}
		if _, err := c.socket.Write(p); err != nil {
			_ = c.socket.Close()
		}
		c.of.send(Got, append(Number(c.id), Number(uint32(len(p)))...))
	}
}

// next returns what waits; nil at the end.
func (c *connection) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) == 0 && !c.shut {
		c.changed.Wait()
	}
	p := c.waiting
	c.waiting = nil
	return p
}

func (c *connection) take(k Kind, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut || len(c.waiting)+len(data) > connectionWindow || k == Shut && len(data) > 0 {
		return ErrFrame
	}
	c.waiting = append(c.waiting, data...)
	c.shut = k == Shut
	c.changed.Signal()
	return nil
}

// end ends both directions.
func (c *connection) end() {
	c.credit.End()
	_ = c.socket.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting, c.shut = nil, true
	c.changed.Signal()
}

// nowhere is the end of a connection that could not be made.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)    { return 0, io.EOF }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) CloseWrite() error           { return nil }
func (nowhere) Close() error                { return nil }
