package sftp

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// options are those of sftp-server(8). An administrator may have written them into a forced
// command, so each is obeyed, or is an error.
type options struct {
	readOnly bool
	query    bool     // -Q: print the names of requests
	dir      string   // -d
	umask    int      // -u; -1 for none
	allowed  []string // -p: nothing else is; nil for no such list
	refused  []string // -P
}

var errUsage = errors.New("usage: sftp-server [-ehR] [-d start_directory] [-f log_facility] [-l log_level] " +
	"[-P denied_requests] [-p allowed_requests] [-u umask]")

func parseOptions(args []string) (*options, error) {
	o := &options{umask: -1}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if len(word) < 2 || word[0] != '-' {
			return nil, errUsage
		}
		for i := 1; i < len(word); i++ {
			switch c := word[i]; c {
			case 'e': // there is no log to write to
			case 'R':
				o.readOnly = true
			case 'd', 'f', 'l', 'P', 'p', 'Q', 'u':
				value := word[i+1:]
				if value == "" {
					if len(args) == 0 {
						return nil, errUsage
					}
					value, args = args[0], args[1:]
				}
				if err := o.set(c, value); err != nil {
					return nil, err
				}
				i = len(word)
			default:
				return nil, errUsage
			}
		}
	}
	return o, nil
}

func (o *options) set(option byte, value string) (err error) {
	switch option {
	case 'd':
		o.dir = value
	case 'P':
		o.refused, err = namesOfRequests(value)
	case 'p':
		o.allowed, err = namesOfRequests(value)
	case 'Q':
		if o.query = value == "requests"; !o.query {
			return errors.New("-Q knows only requests")
		}
	case 'u':
		mask, parseErr := strconv.ParseUint(value, 8, 32)
		if parseErr != nil || mask > 0o777 {
			return errors.New("the umask " + strconv.Quote(value) + " is not an octal number up to 777")
		}
		o.umask = int(mask)
	}
	return err // -f and -l: there is no log to write to
}

// namesOfRequests returns the names in a list with commas.
func namesOfRequests(list string) ([]string, error) {
	names := strings.Split(list, ",")
	for _, n := range names {
		if !slices.ContainsFunc(requests, func(r request) bool { return r.name == n }) {
			return nil, errors.New("there is no request " + strconv.Quote(n))
		}
	}
	return names, nil
}

// request is a request with its name in -p and -P.
type request struct {
	kind      byte
	extension string
	name      string
	writes    bool // it is refused with -R
}

var requests = []request{
	{typeOpen, "", "open", false}, // it writes or not, as its flags have it
	{typeClose, "", "close", false},
	{typeRead, "", "read", false},
	{typeWrite, "", "write", true},
	{typeLstat, "", "lstat", false},
	{typeFstat, "", "fstat", false},
	{typeSetstat, "", "setstat", true},
	{typeFsetstat, "", "fsetstat", true},
	{typeOpendir, "", "opendir", false},
	{typeReaddir, "", "readdir", false},
	{typeRemove, "", "remove", true},
	{typeMkdir, "", "mkdir", true},
	{typeRmdir, "", "rmdir", true},
	{typeRealpath, "", "realpath", false},
	{typeStat, "", "stat", false},
	{typeRename, "", "rename", true},
	{typeReadlink, "", "readlink", false},
	{typeSymlink, "", "symlink", true},
	{typeExtended, "posix-rename@openssh.com", "posix-rename", true},
	{typeExtended, extStatVFS, "statvfs", false},
	{typeExtended, "hardlink@openssh.com", "hardlink", true},
	{typeExtended, extLimits, "limits", false},
	{typeExtended, extExpandPath, "expand-path", false},
	{typeExtended, extFsync, "fsync", true},
	{typeExtended, extLsetstat, "lsetstat", true},
	{typeExtended, extCopyData, "copy-data", true},
	{typeExtended, extFstatVFS, "fstatvfs", false},
	{typeExtended, extHome, "home-directory", false},
	{typeExtended, extNames, "users-groups-by-id", false},
}

func requestNames() (names []string) {
	for _, r := range requests {
		names = append(names, r.name)
	}
	return names
}

// denies reports whether the options refuse a request. Names that OpenSSH does not know
// are refused by the server itself.
func (o *options) denies(kind byte, extension string) bool {
	for _, r := range requests {
		if r.kind == kind && r.extension == extension {
			return o.readOnly && r.writes || slices.Contains(o.refused, r.name) || o.allowed != nil && !slices.Contains(o.allowed, r.name)
		}
	}
	return false
}
