// Package scp is the remote side of scp(1) in its old protocol: `scp -t` takes files from a
// client, and `scp -f` sends files to one. Nothing that the client sends names a file outside
// of the directory that its user named in the command.
package scp

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// bufferSize is how much of a file is copied at once.
const bufferSize = 64 << 10

// Main is the remote side of scp(1), with its client on stdin and stdout. It returns its
// exit code.
func Main(args []string) int {
	o, err := parseOptions(args)
	if err != nil {
		_, _ = os.Stderr.WriteString("scp: error: " + err.Error() + "\n")
		return 1
	}
	return run(o, os.NewFile(0, "stdin"), os.NewFile(1, "stdout"), os.Stderr)
}

func run(o *options, in io.Reader, out, log io.Writer) int {
	p := &peer{in: bufio.NewReaderSize(in, bufferSize), out: out, log: log}
	var err error
	if o.sink {
		err = (&sink{peer: p, options: o, mask: uint32(sys.Umask())}).run(o.paths[0])
	} else {
		err = (&source{peer: p, options: o}).run(o.paths)
	}
	if err != nil {
		p.sendError(err.Error())
	}
	if p.failed {
		return 1
	}
	return 0
}

// options are those that an scp client passes to its remote side.
type options struct {
	sink      bool // -t: take files; else -f: send files
	recursive bool
	preserve  bool // times and modes
	directory bool // the target must be a directory
	paths     []string
}

var errUsage = errors.New("usage: scp -t|-f [-prdv] path ...; this program is the remote side alone")

func parseOptions(args []string) (*options, error) {
	o := &options{}
	source := false
	for ; len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-'; args = args[1:] {
		if args[0] == "--" {
			args = args[1:]
			break
		}
		for _, c := range args[0][1:] {
			switch c {
			case 't':
				o.sink = true
			case 'f':
				source = true
			case 'r':
				o.recursive = true
			case 'p':
				o.preserve = true
			case 'd':
				o.directory = true
			case 'v', 'q': // there is nothing more to say
			default:
				return nil, errUsage
			}
		}
	}
	o.paths = args
	if o.sink == source || len(args) == 0 || o.sink && len(args) > 1 {
		return nil, errUsage
	}
	return o, nil
}

// reason returns the text of an error, for people.
func reason(err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
