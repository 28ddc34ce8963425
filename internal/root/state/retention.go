package state

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Retention is what happens to a container that nobody is in.
type Retention struct {
	Engine      engine.Address
	Ephemeral   bool          // remove it ...
	Linger      time.Duration // ... after this long
	IdleTimeout time.Duration // stop it when nothing ran for this long; 0: never

	// VacantSince is since when nobody is in it and, with IdleTimeout, nothing runs in
	// it; zero: somebody is, or no broker looked yet.
	VacantSince time.Time

	// Login names the last login at that time (engine.LabelLogin), of a container that other login
	// hosts share. Where there was one since, it is not this host's to remove.
	Login string
}

// Keeps reports whether the container stays as it is: such a retention needs no entry.
func (r Retention) Keeps() bool { return !r.Ephemeral && r.IdleTimeout == 0 }

// RemoveAt returns when an ephemeral container that nobody is in is due to be removed.
func (r Retention) RemoveAt() time.Time { return r.VacantSince.Add(r.Linger) }

// Retentions is the directory with the Retention of every container that has one; most
// have none. An entry changes only while the container's lock is held.
type Retentions string

func (d Retentions) path(container string) string { return filepath.Join(string(d), container) }

// unfinished ends the name of a file that is not an entry, or not yet. No container has it in its
// name.
const unfinished = "~"

// Get returns the entry of a container; fs.ErrNotExist.
func (d Retentions) Get(container string) (Retention, error) {
	text, err := os.Readlink(d.path(container))
	if err != nil {
		return Retention{}, err
	}
	return parseRetention(text)
}

// Has reports whether a container has an entry, readable or not.
func (d Retentions) Has(container string) bool {
	_, err := os.Lstat(d.path(container))
	return !errors.Is(err, os.ErrNotExist)
}

// Set writes an entry, or removes it where there is nothing to do for the container.
func (d Retentions) Set(container string, r Retention) error {
	if r.Keeps() {
		return d.Remove(container)
	}
	return writeLink(d.path(container), d.path(container)+unfinished, r.text())
}

// Remove removes an entry, which may be gone.
func (d Retentions) Remove(container string) error { return unlink(d.path(container)) }

// Attend makes the caller the one process that stays for a container, until leave; ok
// is false while another process does.
func (d Retentions) Attend(container string) (leave func(), ok bool) {
	path := d.path(container) + ".stay" + unfinished
	unlock, err := tryLock(path)
	if err != nil { // one that is just leaving looks once more
		return nil, false
	}
	return func() { _ = os.Remove(path); unlock() }, true
}

// Names returns the containers that have an entry.
func (d Retentions) Names() []string {
	f, err := os.Open(string(d))
	if err != nil {
		return nil
	}
	defer f.Close()
	all, _ := f.Readdirnames(-1)
	names := all[:0]
	for _, n := range all {
		if !strings.HasSuffix(n, unfinished) {
			names = append(names, n)
		}
	}
	return names
}

// text is seven fields with tabs between, which no setting may hold; times are in
// nanoseconds, the last one on the clock of bootTime. An earlier version wrote six.
func (r Retention) text() string {
	return strings.Join([]string{r.Engine.Host, r.Engine.TLS, strconv.FormatBool(r.Ephemeral),
		strconv.FormatInt(int64(r.Linger), 10), strconv.FormatInt(int64(r.IdleTimeout), 10),
		strconv.FormatInt(bootTime(r.VacantSince), 10), r.Login}, "\t")
}

func parseRetention(text string) (r Retention, err error) {
	f := strings.Split(text, "\t")
	if len(f) == 6 {
		f = append(f, "")
	}
	if len(f) != 7 {
		return r, errRetention
	}
	r.Login = f[6]
	r.Engine = engine.Address{Host: f[0], TLS: f[1]}
	r.Ephemeral, err = strconv.ParseBool(f[2])
	linger, err1 := strconv.ParseInt(f[3], 10, 64)
	idle, err2 := strconv.ParseInt(f[4], 10, 64)
	since, err3 := strconv.ParseInt(f[5], 10, 64)
	if errors.Join(err, err1, err2, err3) != nil {
		return Retention{}, errRetention
	}
	r.Linger, r.IdleTimeout = time.Duration(linger), time.Duration(idle)
	r.VacantSince = fromBootTime(since)
	return r, nil
}

var errRetention = errors.New("broken entry in the directory of retentions")
