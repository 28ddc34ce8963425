package agent

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestSessionHasTheLowerLimitsAndTheHigherNiceValue(t *testing.T) {
	own := limits.Own()
	all := own
	all[unix.RLIMIT_NOFILE] = limits.Limit{Soft: 40, Hard: 50}
	all[unix.RLIMIT_CORE] = limits.Limit{Soft: limits.Unlimited, Hard: limits.Unlimited}
	all[unix.RLIMIT_FSIZE] = limits.Limit{Soft: 7, Hard: 3} // no front sends that
	p := inherit(&wire.Inherited{Umask: 0o77, Nice: -20, Limits: all})
	if p.Limits[unix.RLIMIT_NOFILE] != (limits.Limit{Soft: 40, Hard: 50}) || p.Limits[unix.RLIMIT_CORE] != own[unix.RLIMIT_CORE] ||
		p.Limits[unix.RLIMIT_FSIZE] != (limits.Limit{Soft: 3, Hard: 3}) || p.Umask != 0o77 || p.Nice != 0 {
		t.Errorf("%+v", p)
	}
	if p := inherit(nil); p.Umask >= 0 || p.Nice != 0 || p.Limits != own {
		t.Errorf("a front that sends none: %+v", p)
	}
}
