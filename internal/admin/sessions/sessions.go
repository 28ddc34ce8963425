// Package sessions lists, ends and writes to the sessions of users, and shows what
// became of those that are over.
package sessions

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// records gives every live session: those of root's brokers, and those of users
// whose brokers run with their own rights.
func Entries() []sessions.Record {
	return append(sessions.Of(paths.Run).All(), ofUsers()...)
}

func ofUsers() (all []sessions.Record) {
	for _, pattern := range []string{"/run/user/*/dockersh", "/tmp/dockersh-*"} {
		found, _ := filepath.Glob(pattern) // fails only on a bad pattern
		for _, run := range found {
			all = append(all, ofUser(run)...)
		}
	}
	return all
}

var accounts = account.New(0)

// lookupLimit bounds the lookup of one user's name.
const lookupLimit = 20 * time.Second

// ofUser reads the records of a user's own place, with his rights: nothing there
// is ours, so they tell of sessions of his own processes only, and not who he is.
func ofUser(run string) (own []sessions.Record) {
	number, under := strings.CutPrefix(run, "/tmp/dockersh-")
	if !under {
		number = filepath.Base(filepath.Dir(run))
	}
	uid, err := strconv.ParseUint(number, 10, 32)
	var st unix.Stat_t
	if err != nil || unix.Lstat(run, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR || uint64(st.Uid) != uid {
		return nil
	}
	var all []sessions.Record
	if sys.AsUser(int(st.Uid), int(st.Gid), func() { all = sessions.Of(run).All() }) != nil {
		return nil
	}
	for _, r := range all {
		if owner, err := proc.UID(r.Pid); err == nil && owner == st.Uid && r.UID == st.Uid {
			r.User, r.Address = number, "" // the kernel knows the client's
			own = append(own, r)
		}
	}
	if len(own) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	if u, err := accounts.ByUID(ctx, st.Uid); err == nil {
		for i := range own {
			own[i].User = u.Name
		}
	}
	return own
}

// In returns the sessions in a container; logins that wait for it are none.
func In(container string) (in []sessions.Record) {
	for _, r := range append(sessions.Of(paths.Run).ByContainer()[container], ofUsers()...) {
		if r.Container == container && !r.Coming && r.Live() {
			in = append(in, r)
		}
	}
	return in
}

// selected returns the live sessions that are meant: by id, container or user. Those
// that wait for their container are among them.
func selected(ctx context.Context, s *cli.Selection) (meant []sessions.Record, err error) {
	var known []string
	for _, r := range Entries() {
		known = append(known, r.ID, r.Container)
		if s.All || s.User != "" && r.User == s.User || slices.Contains(s.Names, r.ID) || slices.Contains(s.Names, r.Container) {
			meant = append(meant, r)
		}
	}
	for _, name := range s.Names {
		if !slices.Contains(known, name) {
			return nil, cli.Unknown("no live session is "+printable.Text(name)+", or in a container of that name", name, known, "dockershctl sessions")
		}
	}
	if s.User != "" && len(meant) == 0 {
		return nil, s.CheckUser(ctx, nil)
	}
	return meant, nil
}
