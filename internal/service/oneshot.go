package service

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"dockersh/internal/paths"
	"dockersh/internal/seqpacket"
)

// serveOne serves the one front on standard input and ends with its session.
func serveOne(log *slog.Logger) error {
	run, err := runDir(os.Geteuid())
	if err != nil {
		return err
	}
	past, end := openHistory(log)
	defer end()
	b, err := newBroker(run, log, past)
	if err != nil {
		return err
	}
	c, err := seqpacket.New(0)
	if err != nil {
		return err
	}
	return b.ServeOne(c)
}

// runDir is where a broker of uid keeps what it knows of containers: root's own
// place, or one that is the user's alone until the next boot.
func runDir(uid int) (string, error) {
	if uid == 0 {
		return paths.Run, nil
	}
	id := strconv.Itoa(uid)
	if base := filepath.Join("/run/user", id); ownDir(base, uid) == nil {
		return filepath.Join(base, "dockersh"), nil
	}
	dir := filepath.Join("/tmp", "dockersh-"+id)
	if err := unix.Mkdir(dir, 0o700); err != nil && err != unix.EEXIST {
		return "", err
	}
	return dir, ownDir(dir, uid)
}

// ownDir refuses what is no directory of uid's, or not his alone: in /tmp anyone
// may have been there first.
func ownDir(dir string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != uid || st.Mode&0o077 != 0 {
		return fmt.Errorf("%s is not a directory of user %d alone", dir, uid)
	}
	return nil
}
