package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Life is what shall become of a container that nobody is in.
type Life struct {
	Engine    engine.Address
	Ephemeral bool          // remove it ...
	Linger    time.Duration // ... after this long
	Idle      time.Duration // stop it when nothing ran for so long; 0: never
	Since     time.Time     // nobody is in it, and with Idle nothing runs, since; zero: somebody is, or nobody looked
}

// Lives holds the Life of every container that has one; most have none. An entry
// changes only while the container's lock is held. Like an owner it is a symbolic
// link that leads nowhere.
type Lives string

// LivesOf gives the directory below the run-time directory.
func LivesOf(run string) Lives { return Lives(filepath.Join(run, "life")) }

// Make makes the directory.
func (l Lives) Make() error { return os.MkdirAll(string(l), 0o700) }

func (l Lives) path(container string) string { return filepath.Join(string(l), container) }

// being is the end of the name of an entry that is being written. No container
// has it.
const being = "~"

// Get reads an entry; fs.ErrNotExist.
func (l Lives) Get(container string) (Life, error) {
	text, err := os.Readlink(l.path(container))
	if err != nil {
		return Life{}, err
	}
	return parseLife(text)
}

// Set writes an entry in place of an older one.
func (l Lives) Set(container string, v Life) error {
	tmp := l.path(container) + being
	_ = os.Remove(tmp) // of a broker that was killed
	if err := os.Symlink(v.text(), tmp); err != nil {
		return err
	}
	return os.Rename(tmp, l.path(container))
}

// Remove takes an entry away; it may be gone.
func (l Lives) Remove(container string) error {
	if err := os.Remove(l.path(container)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Stay makes its caller the one that stays for a container, until leave; ok is
// false while another does.
func (l Lives) Stay(container string) (leave func(), ok bool) {
	path := l.path(container) + ".stay" + being
	unlock, err := tryLock(path)
	if err != nil { // one that is just leaving looks once more
		return nil, false
	}
	return func() { _ = os.Remove(path); unlock() }, true
}

// Names are the containers that have an entry.
func (l Lives) Names() []string {
	f, err := os.Open(string(l))
	if err != nil {
		return nil
	}
	defer f.Close()
	all, _ := f.Readdirnames(-1)
	names := all[:0]
	for _, n := range all {
		if !strings.HasSuffix(n, being) {
			names = append(names, n)
		}
	}
	return names
}

// text is six fields with tabs between, which no setting may hold; times are in
// nanoseconds, the last one by the clock of stamp.
func (v Life) text() string {
	return strings.Join([]string{v.Engine.Host, v.Engine.TLS, strconv.FormatBool(v.Ephemeral),
		strconv.FormatInt(int64(v.Linger), 10), strconv.FormatInt(int64(v.Idle), 10), strconv.FormatInt(stamp(v.Since), 10)}, "\t")
}

func parseLife(text string) (v Life, err error) {
	f := strings.Split(text, "\t")
	if len(f) != 6 {
		return v, errLife
	}
	v.Engine = engine.Address{Host: f[0], TLS: f[1]}
	v.Ephemeral, err = strconv.ParseBool(f[2])
	linger, err1 := strconv.ParseInt(f[3], 10, 64)
	idle, err2 := strconv.ParseInt(f[4], 10, 64)
	since, err3 := strconv.ParseInt(f[5], 10, 64)
	if errors.Join(err, err1, err2, err3) != nil {
		return Life{}, errLife
	}
	v.Linger, v.Idle = time.Duration(linger), time.Duration(idle)
	v.Since = unstamp(since)
	return v, nil
}

var errLife = errors.New("broken entry in the directory of lives")
