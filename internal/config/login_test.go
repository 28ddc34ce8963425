package config

import "testing"

func TestEachLoginHasASequenceOfItsOwn(t *testing.T) {
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
		t.Error("the next login makes other settings")
	}
	if a.Hash() == of("hostname = hone\n", "").Hash() {
		t.Error("what each login brings is not told from what stands there")
	}
}

func TestASequenceIsLookedForOnlyWhereItStands(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "hostname = %x\n": true, "env = A=%u\nenv = B=%x\n": true, "banner = 100%%x\n": false, "dockeropt = -v %x:/a\n": true,
	} {
		if got := effective(t, parsed(t, "[dockersh]\n"+text), nil).Uses('x'); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
