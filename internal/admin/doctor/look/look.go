// Package look gathers the facts of a host, those of package facts, for the checks. It needs root,
// and changes nothing.
package look

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Host gathers the facts of the host for the users of these names or, without names,
// for all users who get dockersh. It calls progress with the number of users that are
// done.
func Host(ctx context.Context, db *account.DB, open engine.Opener, names []string, progress func(done, all int)) (*facts.Host, error) {
	h := &facts.Host{Front: paths.Front(), Helpers: paths.Helpers(), Settings: paths.Settings()[0]}
	file, err := installed.Settings()
	if err != nil {
		h.SettingsErr = err.Error()
	} else if err := lookAtGroups(ctx, h, db, file); err != nil {
		return nil, err
	}
	for _, p := range paths.Settings() {
		if _, err := os.Lstat(p); err == nil {
			h.Settings = p
			break
		}
	}
	users, err := Users(ctx, db, file, names)
	if err != nil {
		return nil, err
	}
	lookAtFiles(h, file)
	lookAtSSHD(ctx, h)
	g := &gatherer{db: db, file: file, failed: h.SettingsErr != "", named: len(names) > 0, paths: &userPaths{}, limits: limitFiles()}
	lookAtUsers(ctx, h, g, users, progress)
	lookAtPAM(h, db)
	lookAtEngines(ctx, h, db, open)
	h.Prunes = lookForPrunes()
	return h, ctx.Err()
}

// lookAtGroups looks up the groups that the settings name.
func lookAtGroups(ctx context.Context, h *facts.Host, db *account.DB, file *config.File) (err error) {
	if len(file.Groups()) == 0 {
		return nil
	}
	if h.Silent, err = db.Silent(ctx); err != nil {
		return err
	}
	err = db.FindGroups(ctx, file.Groups())
	var lost *account.NoGroupError
	if errors.As(err, &lost) {
		h.SettingsErr, err = settings.GroupErrors(file, lost).Error(), nil
	}
	return err
}

func lookAtFiles(h *facts.Host, file *config.File) {
	programs := []string{h.Front, paths.Bin + "/dockershctl", paths.Broker(), paths.Session(), h.Helpers + "/dockersh-init",
		h.Helpers + "/dockersh-files", paths.Bridge()}
	if file != nil {
		if engines, err := policy.Engines(file); err == nil && slices.ContainsFunc(engines, engine.Address.IsCluster) {
			programs = append(programs, paths.Pods(), h.Helpers+"/dockersh-podinit")
		}
	}
	inside, _ := filepath.Glob(h.Helpers + "/*")
	seen := map[string]bool{}
	for _, p := range slices.Concat(programs, inside) {
		ways := []string{p}
		if real, err := filepath.EvalSymlinks(p); err == nil {
			ways = append(ways, real)
		}
		for _, p := range ways {
			for ; !seen[p]; p = filepath.Dir(p) {
				seen[p] = true
				h.Programs = append(h.Programs, lookAtFile(p))
			}
		}
	}
	var fs unix.Statfs_t
	h.NoSuid = unix.Statfs(h.Front, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0
	h.Dumpable = strings.TrimSpace(contents("/proc/sys/fs/suid_dumpable")) == "1"
	if fd, err := seqpacket.Connect(paths.Socket()); err == nil {
		h.Served = true
		_ = unix.Close(fd)
	}
	for line := range strings.Lines(contents("/etc/shells")) {
		h.Shells = append(h.Shells, strings.TrimSpace(line))
	}
	h.Mounts, h.FSTab = facts.ParseMounts(contents("/proc/self/mounts")), facts.ParseMounts(contents("/etc/fstab"))
	h.ServiceMounts = mountsOfService()
	h.Inventory = lookAtInventory()
	services, _ := filepath.Glob("/etc/pam.d/*")
	vendors, _ := filepath.Glob("/usr/lib/pam.d/*")
	for _, name := range slices.Concat(services, vendors, []string{"/etc/pam.conf"}) {
		h.EnvReaders = append(h.EnvReaders, findEnvReaders(name, contents(name))...)
	}
}

// contents returns the text of a file that root owns, or nothing if it cannot be read.
func contents(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

// limitFiles returns the texts of the files of pam_limits(8), in the order in which it reads them.
func limitFiles() []string {
	texts := []string{contents("/etc/security/limits.conf")}
	more, _ := filepath.Glob("/etc/security/limits.d/*.conf") // sorted
	for _, path := range more {
		texts = append(texts, contents(path))
	}
	return texts
}

func lookAtFile(path string) facts.File {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return facts.File{Path: path, Missing: true}
	}
	return facts.File{Path: path, UID: st.Uid, Mode: st.Mode}
}

// findEnvReaders returns the lines of a PAM service that make it read a file in the
// user's home.
func findEnvReaders(name, text string) []facts.Location {
	var out []facts.Location
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if strings.Contains(line, "pam_env.so") && slices.Contains(strings.Fields(line), "user_readenv=1") {
			out = append(out, facts.Location{File: name, Line: n, Text: line})
		}
	}
	return out
}
