package admission

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
)

// subordinateUIDs begin where no user of the host is.
const subordinateUIDs = 3_000_000_000

func newTestStrangers(t *testing.T) *Strangers {
	t.Helper()
	s := NewStrangers(account.NewHostFiles())
	if s.files.HasAccount(subordinateUIDs) || s.files.IsSubordinate(subordinateUIDs) {
		t.Skip("this host has users of strange numbers")
	}
	return s
}

// A user connects as every uid of a range.
func TestStrangersHaveOneAllowanceTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestStrangers(t)
		var under []*Allowance
		for uid := range uint32(5000) {
			a, err := s.Admit(subordinateUIDs + uid)
			if err == nil {
				under = append(under, a)
			} else if !errors.Is(err, errTooManyStrangers) {
				t.Fatal(err)
			}
		}
		if len(under) != s.ordinary.maxWaiting {
			t.Errorf("%d look-ups at once", len(under))
		}
		for i, a := range under {
			s.SetKnown(subordinateUIDs+uint32(i), false)
			s.leave(a)
		}
		if s.ordinary.waiting != 0 {
			t.Errorf("%d wait", s.ordinary.waiting)
		}
		// Each was looked up a moment ago; others must wait until there may be more.
		if _, err := s.Admit(subordinateUIDs); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("one that is remembered: %v", err)
		}
		if _, err := s.Admit(subordinateUIDs + 5000); !errors.Is(err, errTooManyStrangers) {
			t.Errorf("one more: %v", err)
		}
		time.Sleep(time.Second)
		n := 0
		for uid := range uint32(5000) {
			if _, err := s.Admit(subordinateUIDs + 10000 + uid); err == nil {
				n++
			}
		}
		if n != int(s.ordinary.perSecond) {
			t.Errorf("%d look-ups in a second", n)
		}
		time.Sleep(unknownFor)
		if _, err := s.Admit(subordinateUIDs); err != nil {
			t.Errorf("it is remembered for ever: %v", err)
		}
	})
}

func TestUserIsAStrangerOnce(t *testing.T) {
	s := newTestStrangers(t)
	const uid = subordinateUIDs
	if s.IsKnown(uid) || !s.IsKnown(0) {
		t.Error("root alone has an account")
	}
	s.SetKnown(uid, true)
	if !s.IsKnown(uid) {
		t.Error("one who was looked up is not remembered")
	}
	s.SetKnown(uid, false)
	if s.IsKnown(uid) {
		t.Error("one whose account is gone is remembered")
	}
}

func TestWhatIsRememberedOfStrangersHasALimit(t *testing.T) {
	s := newTestStrangers(t)
	for uid := range uint32(3 * maxKnown) {
		s.SetKnown(subordinateUIDs+uid, uid%2 == 0)
	}
	if len(s.known) > maxKnown || len(s.unknown) > maxUnknown {
		t.Errorf("%d known, %d unknown", len(s.known), len(s.unknown))
	}
}
