package config

import (
	"testing"

	"github.com/dockersh/dockersh/internal/rules/template"
)

func TestHashChangesWithWhatMakesTheContainerAndNothingElse(t *testing.T) {
	base := "[dockersh]\nentrypoint = /e\nmounthome\nmountdockersocket\n"
	hash := func(text string, v template.Vars) string { return expanded(t, text, v).Hash() }
	plain := hash(base, alice())
	if len(plain) != 64 || plain != hash(base, alice()) {
		t.Fatalf("hash %s", plain)
	}
	for i := range table {
		r := &table[i]
		if r.key == "mounthome" || r.key == "mountdockersocket" {
			continue // in base
		}
		base, plain := base, plain
		if r.key == "podtemplate" || r.key == "homeclaim" {
			base += "dockersocket = kubernetes://n\n"
			plain = hash(base, alice())
		}
		val := right(r)
		changed := hash(base+r.key+" = "+val+"\n", alice()) != plain
		if changed != r.hashed {
			t.Errorf("%s = %s: hash changed %v, want %v", r.key, val, changed, r.hashed)
		}
	}
	for _, text := range []string{
		"[dockersh]\nentrypoint = /e\nmounthome\n",
		"[dockersh]\nentrypoint = /e\nmountdockersocket\n",
	} {
		if hash(text, alice()) == plain {
			t.Errorf("%q has the hash of %q", text, base)
		}
	}
}

func TestHashDoesNotDependOnHowASettingIsWritten(t *testing.T) {
	hash := func(text string) string { return expanded(t, "[dockersh]\n"+text, alice()).Hash() }
	for _, pair := range [][2]string{
		{"", "pidslimit = 1024\nmounthome = no\nimagename = busybox\n"},
		{"", "mounthomefrom = /x\n"}, // without effect: no mounthome
		{"capdrop = CAP_CHOWN\n", "capdrop = CHOWN\n"},
		{"dockeropt = -v  /a:/b\n", "dockeropt = -v '/a:/b'\n"},
		{"env = A=alice\n", "env = A=%u\n"},
	} {
		if hash(pair[0]) != hash(pair[1]) {
			t.Errorf("%q and %q have two hashes", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{
		{"env = A=1\nenv = B=2\n", "env = B=2\nenv = A=1\n"},
		{"env = A=1|B=2\n", "env = A=1\nenv = B=2\n"},
		{"capdrop =\n", ""},
		{"capadd = CHOWN\n", "capdrop = CHOWN\n"},
	} {
		if hash(pair[0]) == hash(pair[1]) {
			t.Errorf("%q and %q have one hash", pair[0], pair[1])
		}
	}
}

func TestMovedHomeMakesAnotherContainer(t *testing.T) {
	moved := alice()
	moved.Home = "/elsewhere"
	if expanded(t, "[dockersh]\nmounthome\n", alice()).Hash() == expanded(t, "[dockersh]\nmounthome\n", moved).Hash() {
		t.Error("with mounthome the home is part of the container")
	}
	if expanded(t, "", alice()).Hash() != expanded(t, "", moved).Hash() {
		t.Error("without mounthome it is not")
	}
}
