package config

import "testing"

func TestSettingsThatNeedOthers(t *testing.T) {
	for text, want := range map[string]bool{
		"sudo": true, "sudo\nnonewprivileges = false": true, "sudo\nnonewprivileges": false, "sudo = false\nnonewprivileges": true,
		"sudo\ncapdrop = MKNOD": true, "sudo\ncapdrop = ALL": false, "sudo\ncapdrop = CAP_SETUID": false,
		"makehome": false, "makehome\nmounthome": true, "makehome = off": true, "makehome = /srv/skel\nmounthome": true,
	} {
		if _, err := parsed(t, "[dockersh]\n"+text+"\n").Merge("alice", nil, nil); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"makehome": "/etc/skel", "makehome = yes": "/etc/skel", "makehome = off": "", "makehome = /x": "/x", "": ""} {
		s, err := parsed(t, "[dockersh]\nmounthome\n"+text+"\n").Merge("alice", nil, nil)
		if err != nil || s.MakeHome != want {
			t.Errorf("%q: %q %v", text, s.MakeHome, err)
		}
	}
	if _, err := Parse("rc", []byte("[dockersh]\nmakehome = skel\n")); err == nil {
		t.Error("a relative path was accepted")
	}
}
