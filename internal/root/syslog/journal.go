package syslog

import (
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// isJournal reports whether out leads to the journal, as the standard error of a service
// does. The journal also reads syslog(3), and would have each line twice. The socket is
// asked, not JOURNAL_STREAM of systemd.exec(5): the bridge has no environment.
func isJournal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var peer unix.Sockaddr
	err = raw.Control(func(fd uintptr) { peer, _ = unix.Getpeername(int(fd)) })
	at, ok := peer.(*unix.SockaddrUnix)
	return err == nil && ok && isJournalSocket(at.Name)
}

// isJournalSocket reports whether a path is that of the socket for standard error, of the
// host's journal or of a namespace of it (systemd-journald.service(8)).
func isJournalSocket(path string) bool {
	dir, ok := strings.CutSuffix(path, "/stdout")
	name, below := strings.CutPrefix(dir, "/run/systemd/journal")
	return ok && below && (name == "" || name[0] == '.' && !strings.Contains(name, "/"))
}
