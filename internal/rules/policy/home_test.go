package policy

import (
	"reflect"
	"testing"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/config"
)

func TestMappedHomeHasOnlyTheUsersOwnIDs(t *testing.T) {
	u := account.User{Name: "alice", UID: 1000, GID: 1001}
	groups := []account.Group{{Name: "alice", GID: 1001}, {Name: "team", GID: 50}, {Name: "other", GID: 51}}
	p := &Plan{User: u, Settings: &config.Settings{MountHomeFrom: "/srv/h"}}
	for name, c := range map[string]struct {
		who  passwd.Identity
		want Home
	}{
		"the login user": {passwd.Identity{UID: 1000, GID: 1001, Groups: groups[:2]},
			Home{"/srv/h", []Pair{{1000, 1000}}, []Pair{{1001, 1001}, {50, 50}}}},
		"root": {passwd.Identity{UID: 0, GID: 0, Groups: []account.Group{{Name: "root", GID: 0}}},
			Home{"/srv/h", []Pair{{1000, 0}}, []Pair{{1001, 0}}}},
		"a user of the image, with groups that the login user does not have": {passwd.Identity{UID: 1000, GID: 7, Groups: []account.Group{{GID: 7}, {GID: 0}}},
			Home{"/srv/h", []Pair{{1000, 1000}}, []Pair{{1001, 7}}}},
		"a user of the image whose group has the number of another group of the login user": {passwd.Identity{UID: 9, GID: 50, Groups: []account.Group{{GID: 50}}},
			Home{"/srv/h", []Pair{{1000, 9}}, []Pair{{1001, 50}}}},
	} {
		if got := p.Home(c.who, groups); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func FuzzHomeLabelIsReadBack(f *testing.F) {
	for _, seed := range []string{"", "u1000=1000 g1000=1000 g50=50 /srv/a b=c/d", "u1=2 /", "x1=2 /", "u1=2", "/srv", " /", "u=1 /", "u1 /"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		h, err := ParseHome(label)
		if err != nil {
			return
		}
		if again, err := ParseHome(h.String()); err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%q is %+v, then %+v %v", label, h, again, err)
		}
		if h.From != "" && len(h.Users) == 0 {
			t.Errorf("%q: a home that belongs to nobody", label)
		}
	})
}
