package sys

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups is where the hierarchies of cgroups are mounted.
const cgroups = "/sys/fs/cgroup"

// leaveCgroups moves this process out of all cgroups that users control, such as those that
// systemd gives to each user below user@UID.service. There they could freeze it, or take
// its processor and memory away, while it holds locks that others need (cgroups(7)).
func leaveCgroups() error {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(string(text)) {
		_, line, _ = strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, _ := strings.Cut(line, ":")
		errs = append(errs, leaveCgroup(hierarchy(controllers), path))
	}
	return errors.Join(errs...)
}

// hierarchy returns where the hierarchy of controllers is mounted; that of version 2 has
// none.
func hierarchy(controllers string) string {
	if controllers != "" {
		return cgroups + "/" + strings.TrimPrefix(controllers, "name=")
	}
	var fs unix.Statfs_t
	if unix.Statfs(cgroups, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return cgroups
	}
	return cgroups + "/unified"
}

// leaveCgroup moves this process to the innermost cgroup on the way to its own that nobody
// but root controls.
func leaveCgroup(root, path string) error {
	above := []string{root}
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		at := above[0] + "/" + name
		if name == "" || onlyRootControls(at) {
			above = slices.Insert(above, 0, at)
			continue
		}
		err := moveTo(above)
		if errors.Is(err, unix.ENOENT) {
			return nil // the hierarchy is not mounted: users cannot reach it either
		}
		return err
	}
	return nil
}

func onlyRootControls(cgroup string) bool {
	var st unix.Stat_t
	return unix.Lstat(cgroup, &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
}

// moveTo moves this process to the first of the cgroups that takes it: one of version 2
// takes no processes if it has controllers for those below it, unless it is the outermost.
func moveTo(cgroups []string) (err error) {
	for _, at := range cgroups {
		if err = writeFile(at+"/cgroup.procs", "0"); err == nil {
			return nil
		}
	}
	return err
}

// writeFile writes to a file that is there.
func writeFile(path, text string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = Write(fd, []byte(text))
		_ = unix.Close(fd)
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}
