package asciicast

import "unicode/utf8"

// Text makes whole characters of bytes that come in pieces: the beginning of one
// whose rest has not come yet is held back. The zero value is ready.
type Text struct {
	held [utf8.UTFMax]byte
	n    int
	buf  []byte
}

// Add gives what is whole now. It is good until the next call.
func (t *Text) Add(p []byte) []byte {
	t.buf = append(append(t.buf[:0], t.held[:t.n]...), p...)
	whole := len(t.buf) - begun(t.buf)
	t.n = copy(t.held[:], t.buf[whole:])
	return t.buf[:whole]
}

// Rest gives what is held back, of which nothing more will come.
func (t *Text) Rest() []byte {
	n := t.n
	t.n = 0
	return t.held[:n]
}

// begun is how many bytes at the end are the beginning of a character.
func begun(p []byte) int {
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
