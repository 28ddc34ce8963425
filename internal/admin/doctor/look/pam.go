package look

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
	"github.com/dockersh/dockersh/internal/host/account"
)

// moduleDirs are the directories in which libpam looks for modules without a path.
var moduleDirs = []string{"/lib/*/security", "/usr/lib/*/security", "/lib64/security", "/usr/lib64/security",
	"/lib/security", "/usr/lib/security"}

// lookAtPAM reads the PAM services that sshd uses for the users, and looks for what matters
// with our module in them.
func lookAtPAM(h *facts.Host, db *account.DB) {
	for _, name := range h.PAMServices() {
		h.PAM = append(h.PAM, lookAtService(name))
	}
	h.AskTheNetwork = db.AskTheNetwork()
	h.OtherSSH = runningOf("dropbear", "tailscaled", "lshd", "tinysshd")
}

func lookAtService(name string) *facts.PAMService {
	s := &facts.PAMService{Name: name}
	s.Sessions = facts.SessionRules(name, func(service string) (text, file string) {
		for _, dir := range []string{"/etc/pam.d", "/usr/lib/pam.d"} {
			file = filepath.Join(dir, service)
			if filepath.IsAbs(service) {
				file = service
			}
			if text = contents(file); text != "" {
				break
			}
		}
		return text, file
	})
	for _, r := range s.Sessions {
		if r.IsOurs() && !moduleExists(r.Module) {
			s.Missing = r.Module
		}
	}
	return s
}

func moduleExists(module string) bool {
	if filepath.IsAbs(module) {
		_, err := os.Stat(module)
		return err == nil
	}
	return slices.ContainsFunc(moduleDirs, func(dir string) bool {
		found, _ := filepath.Glob(filepath.Join(dir, module))
		return len(found) > 0
	})
}

// runningOf returns those of the programs that run, by the names of processes.
func runningOf(programs ...string) (running []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, file := range all {
		name, err := os.ReadFile(file)
		program := strings.TrimSpace(string(name))
		if err == nil && slices.Contains(programs, program) && !slices.Contains(running, program) {
			running = append(running, program)
		}
	}
	return running
}

// forcedCommand matches, for grep -Ei, a line of authorized_keys whose options have a command=
// (sshd(8)). Options with quoted values, such as from="10.0.0.0/8", may stand before it.
const forcedCommand = `^[[:blank:]]*(([^#"[:blank:]]|"([^"\\]|\\.)*")*,)?command="`

// keyCommands returns the files of a user's keys in which one has a command=, read with the
// user's rights, as sshd reads them.
func keyCommands(ctx context.Context, u account.User, groups []account.Group, o facts.Options) []string {
	var files []string
	for _, name := range o.Words("authorizedkeysfile") {
		name = strings.NewReplacer("%%", "%", "%h", u.Home, "%u", u.Name).Replace(name)
		if name == "none" || strings.Contains(name, "%") {
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(u.Home, name)
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		return nil
	}
	out := programs.OutputAs(ctx, pathLimit, u, groups, append([]string{"/bin/grep", "-lsEi", forcedCommand, "--"}, files...)...)
	var found []string
	for line := range strings.Lines(out) {
		if name := strings.TrimSuffix(line, "\n"); slices.Contains(files, name) {
			found = append(found, name)
		}
	}
	return found
}
