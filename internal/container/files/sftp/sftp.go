// Package sftp is an sftp server as OpenSSH's, with the same options. The library
// github.com/pkg/sftp answers what concerns directories, links and names; a layer in front
// of it serves open files, and answers what the library does not know, or answers in another
// way than OpenSSH.
package sftp

import (
	"errors"
	"io"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/sys/unix"
)

// Main is sftp-server(8): it serves one client on stdin and stdout, and returns its exit
// code. It calls yield before each answer, so that the runtime leaves its goroutine alone.
func Main(args []string, yield func()) int {
	o, err := parseOptions(args)
	if err == nil && o.query {
		_, _ = os.Stdout.WriteString(strings.Join(requestNames(), "\n") + "\n")
		return 0
	}
	if err == nil {
		err = o.apply()
	}
	if err == nil {
		// One goroutine does nearly all the work, in system calls. With a single processor the
		// runtime would give it to another thread at each call that lasts, in search of work.
		runtime.GOMAXPROCS(2)
		write := writeTo(1)
		err = serve(os.NewFile(0, "stdin"), func(parts ...[]byte) error {
			yield()
			return write(parts...)
		}, o)
	}
	if err != nil {
		_, _ = os.Stderr.WriteString("sftp-server: error: " + err.Error() + "\n")
		return 1
	}
	return 0
}

// serve serves a client until it ends.
func serve(in io.Reader, out func(...[]byte) error, o *options) error {
	var serverOptions []sftp.ServerOption
	if o.readOnly {
		serverOptions = append(serverOptions, sftp.ReadOnly())
	}
	stream := newStream(in, out, o)
	defer stream.files.CloseAll()
	s, err := sftp.NewServer(stream, serverOptions...)
	if err != nil {
		return err
	}
	return s.Serve()
}

// writeTo returns a function that writes all parts to a descriptor, in one system call if
// the kernel takes them.
func writeTo(fd int) func(parts ...[]byte) error {
	return func(parts ...[]byte) error {
		for len(parts) > 0 {
			n, err := unix.Writev(fd, parts)
			switch {
			case errors.Is(err, unix.EAGAIN): // somebody made our stdout non-blocking
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
				continue
			case errors.Is(err, unix.EINTR):
				continue
			case err != nil:
				return err
			}
			for ; len(parts) > 0 && n >= len(parts[0]); parts = parts[1:] {
				n -= len(parts[0])
			}
			if len(parts) > 0 {
				parts[0] = parts[0][n:]
			}
		}
		return nil
	}
}

// apply applies the options that change this process.
func (o *options) apply() error {
	if o.umask >= 0 {
		unix.Umask(o.umask)
	}
	if o.dir == "" {
		return nil
	}
	return os.Chdir(o.startDir())
}

// startDir returns the directory of -d.
func (o *options) startDir() string {
	home, name := os.Getenv("HOME"), os.Getenv("USER")
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		home, name = u.HomeDir, u.Username
	}
	return strings.NewReplacer("%%", "%", "%h", home, "%d", home, "%u", name).Replace(o.dir)
}
