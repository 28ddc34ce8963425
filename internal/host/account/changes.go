package account

import (
	"sync"

	"golang.org/x/sys/unix"
)

// refresh forgets every answer if the host's own files changed: an account that is created
// again with an old number must not be taken for the old one.
func (d *DB) refresh() {
	if d.files.changed() {
		d.users.forget()
		d.groupsOfUser.forget()
		d.groupsByName.forget()
		d.gidsOfUser.forget()
	}
}

// watchedFiles watches the files that the name services of every host read.
type watchedFiles struct {
	mu   sync.Mutex
	seen [3]unix.Stat_t
}

func (f *watchedFiles) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	for i, path := range [...]string{"/etc/passwd", "/etc/group", "/etc/nsswitch.conf"} {
		var now unix.Stat_t
		_ = unix.Stat(path, &now) // a missing file does not change
		was := &f.seen[i]
		if !isSameFile(&now, was) {
			*was, changed = now, true
		}
	}
	return changed
}
