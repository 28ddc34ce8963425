package rundir

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// Made says of what a container was made: as its labels, which only the engine
// could tell.
type Made struct {
	UID      uint32 // whose login made it
	Settings string // hash
	Image    string // as it was asked for
	ImageID  string
}

// Made reads it; fs.ErrNotExist.
func (d Dir) Made() (m Made, err error) {
	text, err := os.Readlink(d.file("made"))
	if err != nil {
		return m, err
	}
	f := strings.Split(text, "\t") // which no setting may hold
	if len(f) != 4 {
		return m, errMade
	}
	uid, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return m, errMade
	}
	return Made{uint32(uid), f[1], f[2], f[3]}, nil
}

var errMade = errors.New("broken note of what a container was made of")

// SetMade writes it. The lock is held.
func (d Dir) SetMade(m Made) error {
	return d.setLink("made", strings.Join([]string{strconv.FormatUint(uint64(m.UID), 10), m.Settings, m.Image, m.ImageID}, "\t"))
}
