package settings

import "testing"

func TestHomeIsNotMountedWhereUsersShareAContainer(t *testing.T) {
	for text, want := range map[string]bool{
		"[dockersh]\nmounthome\n":                                                                       true,
		"[dockersh]\ncontainername = room\n":                                                            true,
		"[dockersh]\ncontainername = room\nmounthome\n":                                                 false,
		"[dockersh]\ncontainername = room-%i\nmounthome\nmounthomefrom = /srv/homes/%u\n":               false,
		"[dockersh]\ncontainername = room-%x\nmounthome\n":                                              true,
		"[dockersh]\ncontainername = room\nmounthome\nmounthomefrom = /srv/desk\nmounthometo = /desk\n": true,
		"[dockersh]\nmounthome\n[group \"g\"]\ncontainername = room\n":                                  false,
		"[dockersh]\nmounthome\n[group \"g\"]\ncontainername = room\nmounthome = false\n":               true,
		"[dockersh]\nmounthome\n[user \"alice\"]\ncontainername = box\n":                                true,
	} {
		if err := SharedHomes(parse(t, text)); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := SharedHomes(nil); err != nil {
		t.Error(err)
	}
}
