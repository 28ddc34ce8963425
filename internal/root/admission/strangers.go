package admission

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

// Strangers decides who is one, and counts the look-ups under way.
type Strangers struct {
	files *account.HostFiles

	mu          sync.Mutex
	known       map[uint32]struct{}  // had an account when they were looked up
	unknown     map[uint32]time.Time // until when they are known to have none
	ordinary    Allowance
	subordinate Allowance // of numbers in subuid(5), which one user can have many of
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

// Allowance limits the look-ups of strangers.
type Allowance struct {
	waiting, maxWaiting int           // connections whose look-up is under way or to come
	lookups             chan struct{} // one for each look-up under way
	perSecond, burst    float64       // look-ups in the long run, and at once
	left                float64
	at                  time.Time // when left was right
}

// NewStrangers returns Strangers of the host with these files. The allowances leave most
// look-ups that are made at once (account.DB) to known users. The one for ordinary strangers is
// enough for the users of a directory who all log in for the first time after a restart.
func NewStrangers(files *account.HostFiles) *Strangers {
	return &Strangers{
		files: files, known: map[uint32]struct{}{}, unknown: map[uint32]time.Time{},
		ordinary:    newAllowance(256, 8, 50),
		subordinate: newAllowance(64, 2, 20),
	}
}

func newAllowance(maxWaiting, atOnce int, perSecond float64) Allowance {
	return Allowance{maxWaiting: maxWaiting, lookups: make(chan struct{}, atOnce), perSecond: perSecond, burst: float64(maxWaiting),
		left: float64(maxWaiting)}
}

// IsKnown reports whether a uid is that of a user of this host.
func (s *Strangers) IsKnown(uid uint32) bool {
	s.mu.Lock()
	_, known := s.known[uid]
	s.mu.Unlock()
	return known || s.files.HasAccount(uid)
}

var (
	errUnknown          = fmt.Errorf("%w: it was looked up a moment ago", account.ErrUnknown)
	errTooManyStrangers = usererr.New(usererr.Busy, "too many users whom this host does not know yet are logging in", "try again",
		errors.New("too many connections of users without an account in /etc/passwd"))
)

// Admit counts a stranger whose account is to be looked up, by LookUp. The error is ready for
// the user.
func (s *Strangers) Admit(uid uint32) (*Allowance, error) {
	a := &s.ordinary
	if s.files.IsSubordinate(uid) {
		a = &s.subordinate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.unknown[uid]) {
		return nil, settings.AccountError(errUnknown)
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

// LookUp looks an admitted stranger up by byUID, and remembers whether there is an account. The
// error is ready for the user.
func (s *Strangers) LookUp(ctx context.Context, a *Allowance, uid uint32, byUID func(context.Context, uint32) (account.User, error)) error {
	defer s.leave(a)
	select {
	case a.lookups <- struct{}{}:
		defer func() { <-a.lookups }()
	case <-ctx.Done():
		return errTooManyStrangers
	}
	_, err := byUID(ctx, uid)
	if err == nil || errors.Is(err, account.ErrUnknown) {
		s.SetKnown(uid, err == nil)
	}
	if err != nil {
		return settings.AccountError(err)
	}
	return nil
}

func (s *Strangers) leave(a *Allowance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.waiting--
}

// SetKnown remembers what a look-up found out.
func (s *Strangers) SetKnown(uid uint32, known bool) {
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
