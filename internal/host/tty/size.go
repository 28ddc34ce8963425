package tty

import "sync"

// A SizeRelay passes on each change of a terminal's size.
//
// SIGWINCH alone is not enough. sshd sets the size and writes the keys that were typed after
// that; a program that receives both by different ways, a signal and read(2), may see the keys
// first. So it has to call Update on SIGWINCH, and also between reading input and passing it on.
type SizeRelay struct {
	mu         sync.Mutex
	from       int
	rows, cols uint16
	to         func(rows, cols uint16)
}

// RelaySize returns a relay of the size of the terminal from, which was rows and cols when it
// was last passed on.
func RelaySize(from int, rows, cols uint16, to func(rows, cols uint16)) *SizeRelay {
	return &SizeRelay{from: from, rows: rows, cols: cols, to: to}
}

// Update passes the size on if it has changed since it was last passed on.
func (s *SizeRelay) Update() {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, cols, err := Size(s.from)
	if err != nil || rows == s.rows && cols == s.cols {
		return
	}
	s.rows, s.cols = rows, cols
	s.to(rows, cols)
}
