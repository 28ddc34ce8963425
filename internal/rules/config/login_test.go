package config

import (
	"testing"

	"github.com/dockersh/dockersh/internal/rules/template"
)

func TestSessionSequenceDiffersWithEachLogin(t *testing.T) {
	of := func(text, session string) *Settings {
		s := effective(t, parsed(t, "[dockersh]\n"+text), nil)
		v := alice()
		v.Session = session
		e, err := s.Expand(v)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	const text = "containername = %u-%x\nhostname = h%x\n"
	a, b := of(text, "one"), of(text, "two")
	if a.ContainerName != "alice-one" || a.Identity() != "u=alice,x=one" || a.Hostname != "hone" || !a.Personal() {
		t.Errorf("%s, %s, %s", a.ContainerName, a.Identity(), a.Hostname)
	}
	if b.ContainerName == a.ContainerName || b.Identity() == a.Identity() {
		t.Error("two sessions meet")
	}
	if a.Hash() != b.Hash() {
		t.Error("the next login has other settings")
	}
	if a.Hash() == of("hostname = hone\n", "").Hash() {
		t.Error("a value of the login and the same literal text have one hash")
	}
}

func TestUsedByFindsTheSettingWithTheSequence(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "hostname = %x\n": "hostname", "env = A=%u\nenv = B=%x\n": "env", "banner = 100%%x\n": "", "dockeropt = -v %x:/a\n": "dockeropt", "record = /r/%x\n": "record",
	} {
		s := effective(t, parsed(t, "[dockersh]\n"+text), nil)
		if got := s.UsedBy('x'); got != want || s.Uses('x') != (want != "") {
			t.Errorf("%q: %q, %v", text, got, s.Uses('x'))
		}
	}
}

func TestAddressAndKeyMakeDifferentContainers(t *testing.T) {
	of := func(text string, v template.Vars) (*Settings, error) {
		return effective(t, parsed(t, "[dockersh]\n"+text), nil).Expand(v)
	}
	seen := map[string]string{}
	for _, addr := range []string{"192.0.2.1", "::1", "2001:db8::1", "2001:db8::1:0", "1", "2001_3adb8"} {
		v := alice()
		v.Address = addr
		s, err := of("containername = %u-%i\n", v)
		if err != nil {
			t.Fatal(err)
		}
		if !validName(s.ContainerName) || seen[s.ContainerName] != "" || seen[s.Identity()] != "" || !s.Personal() {
			t.Errorf("%s: %s, %s", addr, s.ContainerName, s.Identity())
		}
		seen[s.ContainerName], seen[s.Identity()] = addr, addr
	}
	v := alice()
	v.Key = "a-_b"
	s, err := of("containername = %u-%k\n", v)
	if err != nil || s.ContainerName != "alice-a-__b" || s.Identity() != "u=alice,k=a-_b" {
		t.Errorf("%v: %s, %s", err, s.ContainerName, s.Identity())
	}
}

func TestColonOfAnAddressIsNotTheColonOfAnOption(t *testing.T) {
	v := alice()
	v.Address = "2001:db8::1"
	for line, refused := range map[string]bool{
		"volume = /srv/%i:/data": true, "dockeropt = -v /srv/%i:/data": true, "imagename = x%i": true,
		"mounthomefrom = /srv/%i": false, "env = FROM=%i": false, "banner = %i": false,
	} {
		_, err := effective(t, parsed(t, "[dockersh]\n"+line+"\n"), nil).Expand(v)
		if (err != nil) != refused {
			t.Errorf("%s: %v", line, err)
		}
	}
	v.Address = "192.0.2.1"
	if _, err := effective(t, parsed(t, "[dockersh]\nvolume = /srv/%i:/data\n"), nil).Expand(v); err != nil {
		t.Error(err)
	}
}
