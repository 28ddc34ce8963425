// Package sessions is dockershctl's commands for the sessions of users: sessions, kick
// and message.
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
	"github.com/dockersh/dockersh/internal/root/state"
)

// Entries returns the entries of all live sessions: those of root brokers, and those
// of brokers that run with their user's rights.
func Entries() []state.Session {
	return append(state.RunDir(paths.Run).Sessions().Live(), ofUserBrokers()...)
}

func ofUserBrokers() (all []state.Session) {
	for _, pattern := range []string{"/run/user/*/dockersh", "/tmp/dockersh-*"} {
		found, _ := filepath.Glob(pattern) // fails only on a bad pattern
		for _, run := range found {
			all = append(all, ofUserBroker(run)...)
		}
	}
	return all
}

var accounts = account.New(0)

// lookupLimit bounds the lookup of one user's name.
const lookupLimit = 20 * time.Second

// ofUserBroker reads the entries below the run-time directory of a user's own broker,
// with that user's rights. The user can write anything there, so an entry counts only
// if its process is the user's, and its name and address are not believed.
func ofUserBroker(run string) (own []state.Session) {
	number, under := strings.CutPrefix(run, "/tmp/dockersh-")
	if !under {
		number = filepath.Base(filepath.Dir(run))
	}
	uid, err := strconv.ParseUint(number, 10, 32)
	var st unix.Stat_t
	if err != nil || unix.Lstat(run, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR || uint64(st.Uid) != uid {
		return nil
	}
	var all []state.Session
	if sys.AsUser(int(st.Uid), int(st.Gid), func() { all = state.RunDir(run).Sessions().Live() }) != nil {
		return nil
	}
	for _, entry := range all {
		if owner, err := proc.UID(entry.Pid); err == nil && owner == st.Uid && entry.UID == st.Uid {
			entry.User, entry.Address = number, "" // Live asks the kernel for the address
			own = append(own, entry)
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

// LiveIn returns the live sessions in a container, without logins that wait for it.
func LiveIn(container string) (in []state.Session) {
	for _, entry := range append(state.RunDir(paths.Run).Sessions().ByContainer()[container], ofUserBrokers()...) {
		if entry.Container == container && !entry.Waiting && entry.IsLive() {
			in = append(in, entry)
		}
	}
	return in
}

// selectSessions returns the live sessions of a selection by id, container or user, with
// logins that wait for their container.
func selectSessions(ctx context.Context, s *cli.Selection) (all []state.Session, err error) {
	var known []string
	for _, entry := range Entries() {
		known = append(known, entry.ID, entry.Container)
		if s.All || s.User != "" && entry.User == s.User || slices.Contains(s.Names, entry.ID) || slices.Contains(s.Names, entry.Container) {
			all = append(all, entry)
		}
	}
	for _, name := range s.Names {
		if !slices.Contains(known, name) {
			return nil, cli.UnknownSession(name, known)
		}
	}
	if s.User != "" && len(all) == 0 {
		return nil, s.CheckUser(ctx, nil)
	}
	return all, nil
}
