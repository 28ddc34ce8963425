package config

import (
	"strings"
	"testing"
)

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

func TestLimitOfRecordingsNeedsADirectoryForEachUser(t *testing.T) {
	for record, want := range map[string]string{
		"/var/log/dockersh/%u/%x.cast":   "",
		"/var/log/dockersh/a%%h/%U/%i-x": "",
		"/r/%u-%G/%u/x.cast":             "",
		"":                               "",
		"/%u/x.cast":                     "a first directory",
		"/x.cast":                        "a directory for each user",
		"/r/%u-%x.cast":                  "a directory for each user",
		"/r/%G/%x.cast":                  "a directory for each user",
		"/r/%u/%x/cast":                  "no %-sequence but",
		"/r/%u/%i/x.cast":                "no %-sequence but",
		"/r/x%h/%u/x.cast":               "no %-sequence but",
		"/r/%k/%u/x.cast":                "no %-sequence but",
		"/r/%u/%h":                       "neither %h nor %s",
		"/r/%u/%x-%s":                    "neither %h nor %s",
	} {
		text := "[dockersh]\nrecordmax = 1g\nrecord = " + record + "\n"
		_, err := parsed(t, text).Merge("alice", nil, nil)
		if (err != nil) != (want != "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "rc:2:1")) {
			t.Errorf("%s: %v, want %q", record, err, want)
		}
	}
	if _, err := parsed(t, "[dockersh]\nrecordmax = 1g\n[user \"bob\"]\nrecord =\n").Merge("bob", nil, nil); err != nil {
		t.Errorf("a user who is not recorded: %v", err)
	}
}
