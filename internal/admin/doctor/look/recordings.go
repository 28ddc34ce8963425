package look

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// lookAtRecordings looks at the place where recordings of a user belong by the settings. It
// returns nil if there are none.
func (p *userPaths) lookAtRecordings(ctx context.Context, h *facts.Host, s *config.Settings) *facts.Recording {
	if s.Record == "" {
		return nil
	}
	dir := filepath.Dir(s.Record)
	found := make(chan *facts.Recording, 1)
	if !p.try(ctx, func() { found <- lookAtRecordings(h, dir) }) {
		return &facts.Recording{Dir: dir, Err: dir + " does not answer"}
	}
	return <-found
}

func lookAtRecordings(h *facts.Host, dir string) *facts.Recording {
	r := &facts.Recording{Dir: dir}
	r.Missing = facts.Unmounted(h.FSTab, h.Mounts, r.Dir)
	at, err := trustedpath.CanMake(r.Dir)
	if err != nil {
		r.Err = err.Error()
		return r
	}
	r.Room = lookAtRoom(at)
	return r
}

// lookAtRoom looks at the file system of a directory.
func lookAtRoom(at string) facts.Room {
	r := facts.Room{At: at}
	var fs unix.Statfs_t
	if unix.Statfs(at, &fs) != nil {
		return r
	}
	inUse := func(all, free uint64) int {
		if all == 0 { // some file systems do not count files
			return 0
		}
		return int((all - min(free, all)) * 100 / all)
	}
	r.Full = fs.Bfree == 0 || fs.Files > 0 && fs.Ffree == 0
	r.Size = fs.Blocks * uint64(fs.Bsize)
	r.Space, r.Files = inUse(fs.Blocks, fs.Bfree), inUse(fs.Files, fs.Ffree)
	return r
}

// lookAtInventory looks at the file system of the inventory, whose directory is made with
// the first entry.
func lookAtInventory() facts.Room {
	for at := paths.Inventory(); ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return lookAtRoom(real)
		}
	}
}

// mountsOfService returns the mounts that the service sees, or none if no service runs.
// Under systemd it has mounts of its own.
func mountsOfService() []facts.Mount {
	programs, _ := filepath.Glob("/proc/[0-9]*/exe")
	program, err := filepath.EvalSymlinks(paths.Broker())
	if err != nil {
		return nil
	}
	for _, exe := range programs {
		// The link to a program that was replaced since is "PATH (deleted)".
		if to, _ := os.Readlink(exe); strings.TrimSuffix(to, " (deleted)") != program {
			continue
		}
		dir := filepath.Dir(exe)
		if strings.Count(contents(dir+"/cmdline"), "\x00") == 1 { // a broker of one session has an argument
			return facts.ParseMounts(contents(dir + "/mounts"))
		}
	}
	return nil
}
