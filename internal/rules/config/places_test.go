package config

import "testing"

func TestMountThatUsersMayMoveIsRefusedWhereRightsMayGrow(t *testing.T) {
	const rights = "nonewprivileges = false\n"
	const root = "entrypoint = /sbin/init\ndockeropt = --user root\n"
	for text, want := range map[string]bool{
		rights + "volume = /srv/a:%h/work/data":                             true,
		rights + "volume = /srv/a:%h/data:ro":                               true,
		rights + "volume = %h/data":                                         true,
		rights + "volume = /srv/a:/srv/a\nvolume = /srv/b:%h/b":             true,
		rights + "mounthome\nmounthometo = /data\nvolume = /srv/a:/data/a":  true,
		rights + "mounthome\nmounthometo = /data\nvolume = /srv/a:/datum/a": false,
		rights + "volume = /srv/a:/tmp/a":                                   true,
		rights + "mounthome\nmounthometo = /var/tmp/%u":                     true,
		rights + "volume = /srv/a:%h":                                       false,
		rights + "volume = /srv/a:/mnt/a":                                   false,
		"volume = /srv/a:%h/a":                                              false,
		"mounthome\nmounthometo = /tmp/%u":                                  false,
		root + "volume = /srv/a:%h/a":                                       true,
		"entrypoint = /e\ndockeropt = -u=0\nvolume = /srv/a:%h/a":           true,
		"entrypoint = /e\nvolume = /srv/a:%h/a":                             false,
		"dockeropt = --user root\nvolume = /srv/a:%h/a":                     false, // ours runs as the container user
		rights + "containerusername = root\nvolume = /srv/a:%h/a":           false,
		rights + "containerusername = 0:0\nvolume = /srv/a:%h/a":            false,
	} {
		_, err := parsed(t, "[dockersh]\n"+text+"\n").Merge("alice", nil, nil)
		if (err != nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := parsed(t, "[dockersh]\n"+rights+"volume = /srv/a:%h/work/data\n").Merge("alice", nil, nil)
	if got, want := lines(t, err), `3:1: "%h/work/data" lies where users can make a link, and programs in the container may gain rights [mount it at a place such as /mnt/data, or set nonewprivileges]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
