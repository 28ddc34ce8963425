// Package sessions keeps a record of every live session: who is in which
// container, and by which process. The records are files, so that they hold
// across brokers: one that is restarted, and several that run at once.
package sessions

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// Record is one session. It is live as long as the process of its front is,
// whatever became of the broker that wrote it.
type Record struct {
	ID        string // unique; letters and digits
	UID       uint32
	User      string
	Container string
	Pid       int       // of the front
	Start     uint64    // when that process began, as proc.Stat has it
	Since     time.Time // to the second
	Address   string    // of the client, if it had to be found out
	Key       string    // fingerprint of the key, if it had to be found out
	Recording string    // path of the recording; empty: none is made

	// Coming is a login that waits for its container: it counts as a session of
	// the user's, but nobody is in the container for it yet.
	Coming bool
}

// NewID gives the id of a new session.
func NewID() string { return strings.ToLower(rand.Text()[:12]) } // 60 bits

// Dir is where the records are: a directory of root's alone. A record is a
// symbolic link that leads nowhere: one system call makes it, at once or not at
// all. Its name says what is asked for often (which user, which container, still
// alive?), its text the rest.
type Dir string

// Of gives the directory of the records below the run-time directory.
func Of(run string) Dir { return Dir(filepath.Join(run, "s")) }

// Make makes the directory.
func (d Dir) Make() error { return os.MkdirAll(string(d), 0o700) }

// coming ends the name of such a record. No container has it in its name.
const coming = "~"

// Put writes a record.
func (d Dir) Put(r Record) error {
	text := strings.Join([]string{strconv.FormatInt(r.Since.Unix(), 10), r.User, r.Address, r.Key}, "\t")
	return unix.Symlink(text, d.path(r))
}

// SetComing changes a record that is there.
func (d Dir) SetComing(r *Record, on bool) error {
	if r.Coming == on {
		return nil
	}
	old := d.path(*r)
	r.Coming = on
	return unix.Rename(old, d.path(*r))
}

// SetRecording notes in which file a session is recorded: a link beside its record.
func (d Dir) SetRecording(r *Record, path string) error {
	if err := unix.Symlink(path, d.recording(r.ID)); err != nil {
		return err
	}
	r.Recording = path
	return nil
}

func (d Dir) recording(id string) string { return string(d) + "/" + id + ".cast" }

// Remove takes a record away, and tells whether it was there: of several who do
// it at once one is told so.
func (d Dir) Remove(r Record) bool {
	_ = unix.Unlink(d.recording(r.ID)) // first: whoever is killed in between leaves the record, which is swept
	return unix.Unlink(d.path(r)) == nil
}

func (d Dir) path(r Record) string {
	name := strconv.FormatUint(uint64(r.UID), 10) + "." + strconv.Itoa(r.Pid) + "." + strconv.FormatUint(r.Start, 10) + "." + r.ID + "." + r.Container
	if r.Coming {
		name += coming
	}
	return string(d) + "/" + name
}

// parse reads the name of a record.
func parse(name string) (r Record, ok bool) {
	f := strings.SplitN(name, ".", 5)
	if len(f) != 5 {
		return r, false
	}
	uid, err1 := strconv.ParseUint(f[0], 10, 32)
	pid, err2 := strconv.Atoi(f[1])
	start, err3 := strconv.ParseUint(f[2], 10, 64)
	r = Record{UID: uint32(uid), Pid: pid, Start: start, ID: f[3]}
	r.Container, r.Coming = strings.CutSuffix(f[4], coming)
	return r, err1 == nil && err2 == nil && err3 == nil && isName(r.ID) && isName(r.Container)
}

// isName tells whether a text can be an id or the name of a container. The records
// of a user's own broker are his to write, and are shown to the administrator.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return s != ""
}

// Live tells whether the front of a record still runs.
func (r Record) Live() bool {
	s, err := proc.Of(r.Pid)
	if err != nil {
		// Not to be able to look is not to know that it is gone.
		return !errors.Is(err, proc.ErrGone)
	}
	return s.Start == r.Start
}

// names gives the records by their names alone.
func (d Dir) names(want func(Record) bool) []Record {
	f, err := os.Open(string(d))
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	var all []Record
	for _, name := range names {
		if r, ok := parse(name); ok && want(r) {
			all = append(all, r)
		}
	}
	return all
}

// Count is the number of a user's live sessions, logins that wait for their
// container included.
func (d Dir) Count(uid uint32) int {
	n := 0
	for _, r := range d.names(func(r Record) bool { return r.UID == uid }) {
		if r.Live() {
			n++
		}
	}
	return n
}

// In tells who is in a container, and how many logins wait for it.
func (d Dir) In(container string) (live, waiting int) {
	for _, r := range d.names(func(r Record) bool { return r.Container == container }) {
		switch {
		case !r.Live():
		case r.Coming:
			waiting++
		default:
			live++
		}
	}
	return live, waiting
}

// ByContainer gives the records of every container, without asking whether they
// live.
func (d Dir) ByContainer() map[string][]Record {
	all := map[string][]Record{}
	for _, r := range d.names(func(Record) bool { return true }) {
		all[r.Container] = append(all[r.Container], r)
	}
	return all
}

// All gives every live record, complete.
func (d Dir) All() []Record {
	var all []Record
	for _, r := range d.names(func(Record) bool { return true }) {
		if r.Live() && d.complete(&r) {
			all = append(all, r)
		}
	}
	return all
}

// Dead gives every record whose front has ended, complete: of sessions that just
// end, and of those whose broker was killed or did not see them begin.
func (d Dir) Dead() []Record {
	var all []Record
	for _, r := range d.names(func(r Record) bool { return !r.Live() }) {
		if d.complete(&r) {
			all = append(all, r)
		}
	}
	return all
}

// complete reads what the name of a record does not say; false if it is gone.
func (d Dir) complete(r *Record) bool {
	text, err := os.Readlink(d.path(*r))
	if err != nil {
		return false
	}
	f := append(strings.Split(text, "\t"), "", "", "", "")
	since, _ := strconv.ParseInt(f[0], 10, 64) // of our own writing
	r.Since, r.User, r.Address, r.Key = time.Unix(since, 0), f[1], f[2], f[3]
	r.Recording, _ = os.Readlink(d.recording(r.ID)) // most have none
	return true
}

// Lock is held by whoever counts before he writes, among processes.
func (d Dir) Lock(ctx context.Context) (unlock func(), err error) {
	return rundir.LockFile(ctx, string(d)+"/lock")
}
