package asciicast

import "unicode/utf8"

// Text assembles whole characters from bytes that arrive in pieces: it holds back the
// start of a character until the rest arrives. The zero value is ready for use.
type Text struct {
	held [utf8.UTFMax]byte
	n    int
	buf  []byte
}

// Add returns p, and what was held back before it, up to the last whole character.
// The result is valid until the next call.
func (t *Text) Add(p []byte) []byte {
	t.buf = append(append(t.buf[:0], t.held[:t.n]...), p...)
	whole := len(t.buf) - incomplete(t.buf)
	t.n = copy(t.held[:], t.buf[whole:])
	return t.buf[:whole]
}

// Rest returns what is held back, once nothing more will arrive.
func (t *Text) Rest() []byte {
	n := t.n
	t.n = 0
	return t.held[:n]
}

// incomplete returns how many bytes at the end of p start a character that p does
// not finish.
func incomplete(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if c := p[len(p)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
