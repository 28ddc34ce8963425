package policy

import (
	"testing"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

func TestUsersWordCountsOnlyInContainersOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		name, own string
		may       bool
	}{
		{"%u_dockersh", "imagename = evil/x", true},
		{"%U", "imagename = evil/x", true},
		{"%i-%x", "imagename = evil/x", true},
		{"classroom", "imagename = evil/x", false},
		{"%k", "mounthome", false},
		{"%i", "mounttmp", false},
		{"%h", "entrypoint = /bin/evil", false},
		{"classroom", "usercwd = /tmp\nshell = /bin/evil", true},
		{"classroom", "mounthometo = /srv/x", true}, // without mounthome it means nothing
		{"classroom", "containername = mine\nimagename = evil/x", true},
		{"%u", "reverseforward = 1:1", true},
		{"classroom", "reverseforward = 1:1", false},
	} {
		file := "[dockersh]\ncontainername = " + c.name + "\nenableuserconfig\n"
		for _, key := range []string{"imagename", "mounthome", "mounthometo", "mounttmp", "entrypoint", "usercwd", "shell", "containername", "reverseforward"} {
			file += "enableuser" + key + "\n"
		}
		_, err := decide(t, alice, file, "[dockersh]\n"+c.own, Request{})
		if (err == nil) != c.may || err != nil && code(err) != usererr.Denied {
			t.Errorf("%s, %q: %v", c.name, c.own, err)
		}
	}
}

func TestHomeIsNotPlacedInTheSystem(t *testing.T) {
	const gate = "[dockersh]\nmounthome\nenableuserconfig\nenableusermounthometo\n"
	for to, may := range map[string]bool{
		"/home/x": true, "/home/%u": true, "/srv/a/b": true, "/data/x/": true, "/media/x/../y": true, "%h": true,
		"/home": false, "/": false, "/etc/pam.d": false, "/home/../etc": false, "/homes/x": false, "/tmp/x": false, "/root": false, "/var/lib/x": false,
		"/usr/local": false, "/opt/x": false, "/run/x": false, "/.dockersh/run": false,
	} {
		if _, err := decide(t, alice, gate, "[dockersh]\nmounthometo = "+to, Request{}); (err == nil) != may {
			t.Errorf("%s: %v", to, err)
		}
	}
	// Where the administrator would place it, it may be whoever says so.
	const admins = gate + "mounthometo = /work/%u\n"
	for to, may := range map[string]bool{"/work/alice": true, "/work/./%u/": true, "/work/bob": false} {
		if _, err := decide(t, alice, admins, "[dockersh]\nmounthometo = "+to, Request{}); (err == nil) != may {
			t.Errorf("%s: %v", to, err)
		}
	}
	for home, may := range map[string]bool{"/home/alice": true, "/root": true, "/usr/home/x": true, "/var/lib/x": true, "/run/home/x": true, "/dev": false, "/usr/sbin": false, "/bin": false, "/": false} {
		u := account.User{Name: "bin", UID: 2, Home: home}
		if _, err := decide(t, u, "[dockersh]\nmounthome\nmounthomefrom = /srv/homes/x", "", Request{}); (err == nil) != may {
			t.Errorf("the home %s: %v", home, err)
		}
		if _, err := decide(t, u, "", "", Request{}); err != nil {
			t.Errorf("the home %s, which is not mounted: %v", home, err)
		}
	}
}
