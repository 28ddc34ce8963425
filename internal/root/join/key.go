package join

import (
	"strconv"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
)

// Key returns the key that a login was made with: by sshd's own word, where its PAM module
// announced the connection that the front comes by; else by that of the user's process, which
// is info. A user who was announced once has no other logins with a key: a process that left
// its connection could claim anything. The error is sshd.ErrNoKey.
func (j *Joiner) Key(uid uint32, front proc.Stat, info string) (string, error) {
	switch c, announced := j.Sessions.ConnectionOf(uid, sshd.Ancestors(front)); {
	case announced:
		return orNoKey(c.Key)
	case j.Seen.Has(announcedName(uid)):
		return "", sshd.ErrNoKey
	}
	return sshd.Key(info)
}

func orNoKey(key string) (string, error) {
	if key == "" {
		return "", sshd.ErrNoKey
	}
	return key, nil
}

// announcedName is remembered of users whom the PAM module announced since the host started.
func announcedName(uid uint32) string { return "announced-" + strconv.FormatUint(uint64(uid), 10) }
