package front

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/user/dotfile"
)

// userFileLimit is how long ~/.dockersh may take to be read: the home may be on a server that
// does not answer. Whether the login can do without the file is for the broker to say.
const userFileLimit = 3 * time.Second

// readUserFile is dotfile.Read with a limit. A thread that waits on stays behind.
func readUserFile(home string) (data []byte, problem string) {
	type result struct {
		data    []byte
		problem string
	}
	read := make(chan result, 1)
	go func() {
		data, problem := dotfile.Read(home, unix.Geteuid())
		read <- result{data, problem}
	}()
	limit := time.NewTimer(userFileLimit)
	defer limit.Stop()
	select {
	case r := <-read:
		return r.data, r.problem
	case <-limit.C:
		return nil, "does not answer"
	}
}
