package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// A user can connect as any of the 65536 numbers that useradd(8) lets them take in user
// namespaces (subuid(5)). A limit on each uid holds nobody who has so many, and each that is
// unknown costs a look-up in the name services. So a uid that has no account in the host's
// passwd, and that was not seen here before, is a stranger until it was looked up: strangers
// have one small allowance together, and are refused beyond it before anything is done for
// them. Users who are known do not wait behind them.

// strangers says who is one, and counts the look-ups under way.
type strangers struct {
	files *account.HostFiles

	mu          sync.Mutex
	known       map[uint32]struct{}  // had an account when they were looked up
	unknown     map[uint32]time.Time // until when they are known to have none
	ordinary    allowance
	subordinate allowance // of numbers in subuid(5), which one user can have many of
}

// How many uids are remembered as known, and how many as unknown. No more become unknown
// in unknownFor than the allowances let be looked up.
const (
	maxKnown   = 1 << 16
	maxUnknown = 1 << 10
)

// unknownFor is how long a uid without an account is refused without another look-up. Some
// directory may just be getting one for it.
const unknownFor = 3 * time.Second

// allowance limits the look-ups of strangers.
type allowance struct {
	waiting, maxWaiting int           // connections whose look-up is under way or to come
	lookups             chan struct{} // one for each look-up under way
	perSecond, burst    float64       // look-ups in the long run, and at once
	left                float64
	at                  time.Time // when left was right
}

// The allowances leave most look-ups that are made at once (account.DB) to known users. The
// one for ordinary strangers is enough for the users of a directory who all log in for the
// first time after a restart.
func newStrangers(files *account.HostFiles) *strangers {
	return &strangers{
		files: files, known: map[uint32]struct{}{}, unknown: map[uint32]time.Time{},
		ordinary:    newAllowance(256, 8, 50),
		subordinate: newAllowance(64, 2, 20),
	}
}

func newAllowance(maxWaiting, atOnce int, perSecond float64) allowance {
	return allowance{maxWaiting: maxWaiting, lookups: make(chan struct{}, atOnce), perSecond: perSecond, burst: float64(maxWaiting),
		left: float64(maxWaiting)}
}

// isKnown reports whether a uid is that of a user of this host.
func (s *strangers) isKnown(uid uint32) bool {
	s.mu.Lock()
	_, known := s.known[uid]
	s.mu.Unlock()
	return known || s.files.HasAccount(uid)
}

var (
	errUnknown          = fmt.Errorf("%w: it was looked up a moment ago", account.ErrUnknown)
	errTooManyStrangers = errors.New("too many connections of users without an account in /etc/passwd")
)

// admit counts a stranger whose account is to be looked up, to be ended by leave. The error
// is errUnknown or errTooManyStrangers.
func (s *strangers) admit(uid uint32) (*allowance, error) {
	a := &s.ordinary
	if s.files.IsSubordinate(uid) {
		a = &s.subordinate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.unknown[uid]) {
		return nil, errUnknown
	}
	a.left = min(a.burst, a.left+a.perSecond*now.Sub(a.at).Seconds())
	a.at = now
	if a.waiting >= a.maxWaiting || a.left < 1 {
		return nil, errTooManyStrangers
	}
	a.waiting++
	a.left--
	return a, nil
}

func (s *strangers) leave(a *allowance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.waiting--
}

// setKnown remembers what a look-up found out.
func (s *strangers) setKnown(uid uint32, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known {
		makeRoom(s.known, maxKnown)
		s.known[uid] = struct{}{}
		delete(s.unknown, uid)
		return
	}
	makeRoom(s.unknown, maxUnknown)
	delete(s.known, uid)
	s.unknown[uid] = time.Now().Add(unknownFor)
}

// makeRoom drops some entry of a full map.
func makeRoom[T any](all map[uint32]T, most int) {
	if len(all) < most {
		return
	}
	for uid := range all {
		delete(all, uid)
		return
	}
}

// strangerError puts an error of admit into words for the user.
func strangerError(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return settings.AccountError(err)
	}
	return usererr.New(usererr.Busy, "too many users whom this host does not know yet are logging in", "try again", err)
}

// rememberOwners makes those known for whom there are containers: after a restart of the
// broker they are not strangers.
func (b *Broker) rememberOwners() {
	for _, name := range b.state.Containers() {
		if made, err := b.state.Container(name).Made(); err == nil {
			b.strangers.setKnown(made.UID, true)
		}
	}
}

// serveStranger looks a stranger up, and serves those who have an account.
func (b *Broker) serveStranger(f *front, a *allowance) {
	err := b.lookUpStranger(f, a)
	f.stranger = err != nil
	if err == nil && !b.limits.admitConn(f.uid) {
		err = errTooMany
	}
	if err != nil {
		b.refuse(f, err, true)
		_ = f.Close()
		b.logins.Done()
		return
	}
	b.serveLogin(f)
}

func (b *Broker) lookUpStranger(f *front, a *allowance) error {
	defer b.strangers.leave(a)
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit)
	defer cancel()
	select {
	case a.lookups <- struct{}{}:
		defer func() { <-a.lookups }()
	case <-ctx.Done():
		return strangerError(errTooManyStrangers)
	}
	_, err := b.Users.ByUID(ctx, f.uid)
	if err == nil || errors.Is(err, account.ErrUnknown) {
		b.strangers.setKnown(f.uid, err == nil)
	}
	if err != nil {
		return settings.AccountError(err)
	}
	return nil
}
