package agent

import (
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// sessionDirs are the directories of live sessions: each holds what programs inside find by a
// path, and what must end with the session. Nobody but the container user can enter one.
type sessionDirs struct {
	mu   sync.Mutex
	live map[string]bool
}

// sessionDir is the directory of one session.
type sessionDir struct {
	all  *sessionDirs
	path string // empty until something is put into it
}

// What is in a directory. With the directory's name, the socket for the ssh agent is what
// scripts look for that expect sshd's.
const (
	dirPattern  = "ssh-"
	socketName  = "agent.sock"
	cookiesName = "Xauthority"
)

// listen makes a listening socket in the directory.
func (d *sessionDir) listen(home string) (fd int, path string, err error) {
	path, err = d.put(socketName, home, func(path string) (err error) {
		fd, err = listenAt(path)
		return err
	})
	return fd, path, err
}

// writeCookies writes an Xauthority file in the directory.
func (d *sessionDir) writeCookies(cookies []byte, home string) (path string, err error) {
	return d.put(cookiesName, home, func(path string) error {
		err := os.WriteFile(path, cookies, 0o600)
		if err == nil {
			err = os.Chmod(path, 0o600) // whatever the umask is
		}
		return err
	})
}

// put makes something of that name in the directory, which is in the first of the usual places
// that takes both.
func (d *sessionDir) put(name, home string, do func(path string) error) (path string, err error) {
	if d.path != "" {
		return d.path + "/" + name, do(d.path + "/" + name)
	}
	for _, place := range []string{"/run/user/" + strconv.Itoa(os.Getuid()), "/tmp", "/dev/shm", home} {
		if err = d.make(place); err != nil {
			continue
		}
		if err = do(d.path + "/" + name); err == nil {
			return d.path + "/" + name, nil
		}
		d.remove() // such as a path that is too long for a socket
	}
	return "", err
}

func (d *sessionDir) make(place string) error {
	path, err := os.MkdirTemp(place, dirPattern)
	if err != nil {
		return err
	}
	d.path = path
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	if d.all.live == nil {
		d.all.live = map[string]bool{}
	}
	d.all.live[path] = true
	return os.Chmod(path, 0o700) // whatever the umask is
}

func listenAt(path string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err == nil {
		err = unix.Listen(fd, unix.SOMAXCONN)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// remove removes what was put into the directory, and the directory unless the user has put
// more into it.
func (d *sessionDir) remove() {
	if d.path == "" {
		return
	}
	d.all.mu.Lock()
	defer d.all.mu.Unlock()
	removeDir(d.path)
	delete(d.all.live, d.path)
	d.path = ""
}

func removeDir(path string) {
	_ = unix.Unlink(path + "/" + socketName)
	_ = unix.Unlink(path + "/" + cookiesName)
	_ = unix.Rmdir(path)
}

// removeAll is for the end of the container, whose /tmp may stay.
func (d *sessionDirs) removeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path := range d.live {
		removeDir(path)
	}
}
