package state

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// Session is the entry of one session. The session is live as long as the process of
// its front is, whatever became of the broker that wrote the entry. The entry of a
// connection of ssh in the container's network is one too: its process is sshd's.
type Session struct {
	ID        string // unique; letters and digits
	UID       uint32
	User      string
	Container string    // NoContainer for a connection that joined none
	Pid       int       // of the front; of a connection: of sshd, as root
	Start     uint64    // when that process began, as in proc.Stat
	Since     time.Time // to the second
	Address   string    // of the client, where the settings use it
	Key       string    // fingerprint, where the settings use it; of a connection: always, if there is one
	Recording string    // path of the recording; empty: none is made

	// Waiting marks a login that waits for its container: it counts as a session of
	// the user, but nobody is in the container for it yet.
	Waiting bool

	// Connection marks a connection of ssh: somebody is in the container, by its network,
	// but it is no session of the user's.
	Connection bool
}

// NoContainer stands in place of the name of a container, and is none.
const NoContainer = "-"

// NewSessionID returns the id of a new session.
func NewSessionID() string { return strings.ToLower(rand.Text()[:idLength]) }

// idLength is that of an id, which has 60 random bits.
const idLength = 12

// Sessions is the directory of the entries: symbolic links that lead nowhere (see
// writeLink). The name of a link has what is needed often (which user, which
// container, still alive?), its text the rest.
type Sessions string

// waiting ends the name of the entry of a login that waits, and connection, before it, that
// of a connection. No container has them in its name.
const (
	waiting    = "~"
	connection = "="
)

// Add writes an entry.
func (d Sessions) Add(s Session) error {
	text := strings.Join([]string{strconv.FormatInt(s.Since.Unix(), 10), s.User, s.Address, s.Key}, "\t")
	return unix.Symlink(text, d.path(s))
}

// SetWaiting changes an entry that exists.
func (d Sessions) SetWaiting(s *Session, on bool) error {
	if s.Waiting == on {
		return nil
	}
	old := d.path(*s)
	s.Waiting = on
	return unix.Rename(old, d.path(*s))
}

// SetRecording writes which file a session is recorded in: a link beside its entry.
func (d Sessions) SetRecording(s *Session, path string) error {
	if err := unix.Symlink(path, d.recording(s.ID)); err != nil {
		return err
	}
	s.Recording = path
	return nil
}

const castSuffix = ".cast"

func (d Sessions) recording(id string) string { return string(d) + "/" + id + castSuffix }

// Remove removes an entry, and reports whether it was there: of several callers at
// once, only one gets true.
func (d Sessions) Remove(s Session) bool {
	_ = unix.Unlink(d.recording(s.ID)) // first: a kill in between leaves the entry, which is swept
	return unix.Unlink(d.path(s)) == nil
}

func (d Sessions) path(s Session) string {
	name := strconv.FormatUint(uint64(s.UID), 10) + "." + strconv.Itoa(s.Pid) + "." + strconv.FormatUint(s.Start, 10) + "." + s.ID +
		"." + s.Container
	if s.Connection {
		name += connection
	}
	if s.Waiting {
		name += waiting
	}
	return string(d) + "/" + name
}

// parseSession reads the name of an entry.
func parseSession(name string) (s Session, ok bool) {
	f := strings.SplitN(name, ".", 5)
	if len(f) != 5 {
		return s, false
	}
	uid, err1 := strconv.ParseUint(f[0], 10, 32)
	pid, err2 := strconv.Atoi(f[1])
	start, err3 := strconv.ParseUint(f[2], 10, 64)
	s = Session{UID: uint32(uid), Pid: pid, Start: start, ID: f[3]}
	s.Container, s.Waiting = strings.CutSuffix(f[4], waiting)
	s.Container, s.Connection = strings.CutSuffix(s.Container, connection)
	return s, err1 == nil && err2 == nil && err3 == nil && isName(s.ID) && isName(s.Container)
}

// isName reports whether a text can be part of the name of an entry.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// IsLive reports whether the front of the session still runs.
func (s Session) IsLive() bool {
	p, err := proc.Of(s.Pid)
	if err != nil {
		// A process that cannot be looked at is not known to be gone.
		return !errors.Is(err, proc.ErrGone)
	}
	return p.Start == s.Start
}

// list returns the entries that want accepts, with what their names have. It reads at most
// so many names; -1 means all.
func (d Sessions) list(most int, want func(Session) bool) []Session {
	f, err := os.Open(string(d))
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(most)
	var all []Session
	for _, name := range names {
		if s, ok := parseSession(name); ok && want(s) {
			all = append(all, s)
		}
	}
	return all
}

// CountUser returns the number of a user's live sessions, with the logins that wait
// for their container.
func (d Sessions) CountUser(uid uint32) int {
	n := 0
	for _, s := range d.list(-1, func(s Session) bool { return s.UID == uid && !s.Connection }) {
		if s.IsLive() {
			n++
		}
	}
	return n
}

// In returns how many live sessions and connections are in a container, and how many logins
// wait for it.
func (d Sessions) In(container string) (inside, waiting int) {
	for _, s := range d.list(-1, func(s Session) bool { return s.Container == container }) {
		switch {
		case !s.IsLive():
		case s.Waiting:
			waiting++
		default:
			inside++
		}
	}
	return inside, waiting
}

// IsOccupied reports whether a container has a live session, a connection, or a login that
// waits for it.
func (d Sessions) IsOccupied(container string) bool {
	inside, waiting := d.In(container)
	return inside+waiting > 0
}

// ByContainer returns the entries of every container, live or not, with what their
// names say.
func (d Sessions) ByContainer() map[string][]Session {
	all := map[string][]Session{}
	for _, s := range d.list(-1, func(Session) bool { return true }) {
		all[s.Container] = append(all[s.Container], s)
	}
	return all
}

// Live returns every live session, complete.
func (d Sessions) Live() []Session {
	var all []Session
	for _, s := range d.list(-1, func(Session) bool { return true }) {
		if s.IsLive() && d.complete(&s) {
			all = append(all, s)
		}
	}
	return all
}

// ConnectionOf returns the live connection of a user that has one of these processes; false
// if there is none.
func (d Sessions) ConnectionOf(uid uint32, processes []proc.Stat) (Session, bool) {
	is := func(s Session) bool {
		return s.Connection && s.UID == uid &&
			slices.ContainsFunc(processes, func(p proc.Stat) bool { return p.Pid == s.Pid && p.Start == s.Start })
	}
	for _, s := range d.list(-1, is) {
		if s.IsLive() && d.complete(&s) {
			return s, true
		}
	}
	return Session{}, false
}

// Dead returns every entry whose front has ended, complete: of sessions that are just
// ending, and of those whose broker was killed or did not see them begin.
func (d Sessions) Dead() []Session {
	var all []Session
	for _, s := range d.list(-1, func(s Session) bool { return !s.IsLive() }) {
		if d.complete(&s) {
			all = append(all, s)
		}
	}
	return all
}

// complete reads what the name of an entry does not have; false if the entry is gone.
func (d Sessions) complete(s *Session) bool {
	text, err := os.Readlink(d.path(*s))
	if err != nil {
		return false
	}
	f := append(strings.Split(text, "\t"), "", "", "", "")
	since, _ := strconv.ParseInt(f[0], 10, 64) // a broker wrote it
	s.Since, s.User, s.Address, s.Key = time.Unix(since, 0), f[1], f[2], f[3]
	s.Recording, _ = os.Readlink(d.recording(s.ID)) // most have none
	return true
}

// Lock is held by a broker that counts sessions before it adds one, among processes.
func (d Sessions) Lock(ctx context.Context) (unlock func(), err error) {
	return LockFile(ctx, string(d)+"/lock")
}
