package scp

import (
	"bufio"
	"errors"
	"io"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// maxLine is the longest line that a client may send: a name has at most 255 bytes.
const maxLine = 4096

var errLine = errors.New("protocol error: the line is too long")

// peer is the other side of the connection.
type peer struct {
	in     *bufio.Reader
	out    io.Writer
	log    io.Writer
	failed bool // something went wrong that does not end the connection
}

func (p *peer) send(text string) error {
	_, err := io.WriteString(p.out, text)
	return err
}

// sendOK lets the client go on.
func (p *peer) sendOK() error { return p.send("\x00") }

// sendError sends the client, and its user, what went wrong. Names of files cannot steer the
// user's terminal.
func (p *peer) sendError(text string) {
	p.failed = true
	_ = p.send("\x01scp: " + printable.Line(text) + "\n") // a client that is gone is noticed at the next read
}

// readLine returns a line without its end, of which the first byte has been read already.
func (p *peer) readLine(first byte) (string, error) {
	line := []byte{first}
	for line[len(line)-1] != '\n' {
		c, err := p.in.ReadByte()
		if err != nil {
			return "", unexpected(err)
		}
		if line = append(line, c); len(line) > maxLine {
			return "", errLine
		}
	}
	return string(line[:len(line)-1]), nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

var errPeer = errors.New("the other side gave up")

// await waits for the client's answer to what it was sent. ok is false if something went wrong
// there that does not end the connection.
func (p *peer) await() (ok bool, err error) {
	c, err := p.in.ReadByte()
	if err != nil {
		return false, unexpected(err)
	}
	if c == 0 {
		return true, nil
	}
	return false, p.complaint(c)
}

// complaint reads an error of the client, which begins with c.
func (p *peer) complaint(c byte) error {
	if c != 1 && c != 2 {
		return errors.New("protocol error: unexpected byte")
	}
	line, err := p.readLine(c)
	if err != nil {
		return err
	}
	p.failed = true
	_, _ = io.WriteString(p.log, printable.Line(line[1:])+"\n")
	if c == 2 {
		return errPeer
	}
	return nil
}
