package checks

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var engineChecks = []check{
	{id: "engine-down", severity: Error, why: "dockershd(8)", engine: engineDown},
	{id: "engine-open", severity: Error, why: hole(1), need: wantEngine, engine: engineOpen},
	{id: "engine-rootless", severity: Error, why: "docs/engines.md, Podman", need: wantEngine, engine: engineRootless},
	{id: "helpers-gone", severity: Error, why: "docs/install.md, Another way to install", need: wantEngine, engine: helpersGone},
	{id: "engine-version", severity: Error, why: "docs/install.md, Requirements", need: wantEngine, engine: engineVersion},
	{id: "cluster-rights", severity: Error, why: "docs/engines.md, Kubernetes", need: wantEngine, engine: clusterRights},
	{id: "cluster-excess", severity: Warning, why: "docs/engines.md, Kubernetes", need: wantEngine, engine: clusterExcess},
	{id: "runtime-version", severity: Warning, why: hole(10), need: wantEngine, engine: runtimeVersion},
	{id: "apparmor-signals", severity: Warning, why: "docs/engines.md, Podman", need: wantEngine, engine: apparmorSignals},
	{id: "live-restore", severity: Warning, why: "docs/failures.md", need: wantEngine, engine: liveRestore},
	{id: "seccomp", severity: Warning, why: "SECURITY.md, Who is trusted with what", need: wantEngine, engine: seccomp},
	{id: "prune-job", severity: Error, why: "docs/administration.md, Housekeeping", host: pruneJob},
	{id: "user-gone", severity: Warning, why: "dockershctl(8), ls", need: wantEngine, engine: userGone},
	{id: "user-namespaces", severity: Warning, why: hole(10), need: wantEngine, engine: userNamespaces},
}

func engineDown(h *facts.Host, e *facts.Engine) *fault {
	if e.Err == "" {
		return nil
	}
	// Only of the usual sockets it is known what has to be started. Any other address may be wrong.
	line := "grep -n dockersocket " + h.Settings
	switch strings.TrimPrefix(e.Socket, "/var") {
	case "/run/docker.sock":
		line = "systemctl enable --now docker"
	case "/run/podman/podman.sock":
		line = "systemctl enable --now podman.socket"
	}
	return &fault{text: "engine " + e.Socket + ": " + e.Err, lines: []string{line}}
}

// applyRole is the command that sets the rights of a login host in a cluster, and no others.
const applyRole = "kubectl apply -f kubernetes/dockersh.yaml"

func clusterRights(_ *facts.Host, e *facts.Engine) *fault {
	if len(e.RightsMissing) == 0 {
		return nil
	}
	return &fault{text: e.Socket + ": the account of this host has no right to " + strings.Join(e.RightsMissing, ", "),
		lines: []string{applyRole}}
}

// clusterExcess finds an account that was made for more. Whoever gets at its token has all of it.
func clusterExcess(_ *facts.Host, e *facts.Engine) *fault {
	if len(e.RightsExcess) == 0 {
		return nil
	}
	return &fault{lines: []string{applyRole},
		text: e.Socket + ": the account of this host may " + strings.Join(e.RightsExcess, ", ") + ", which dockersh does not need"}
}

// engineOpen finds an engine that listens on TCP without asking for a certificate. The
// engine itself warns of it. Its lines find the address. None of them writes "hosts" into
// daemon.json: with that, dockerd does not start where its unit has an option -H too.
func engineOpen(_ *facts.Host, e *facts.Engine) *fault {
	if e.OpenAddress == "" {
		return nil
	}
	return &fault{
		text: "the engine listens on " + e.OpenAddress + " without asking for certificates: " +
			"every process that reaches it, even in a container, is root on its host. " +
			"Remove the tcp:// address where it is set, and restart the engine",
		lines: []string{"systemctl cat docker.service | grep tcp://", "grep -s tcp:// /etc/docker/daemon.json /etc/default/docker"},
	}
}

// engineRootless finds an engine of a user's own where the broker is root.
func engineRootless(h *facts.Host, e *facts.Engine) *fault {
	if e.RootlessUID == 0 || !h.Served && frontOf(h).Mode&unix.S_ISUID == 0 {
		return nil
	}
	return &fault{
		text: "the engine at " + e.Socket + " runs as uid " + strconv.FormatUint(uint64(e.RootlessUID), 10) +
			", not as root, and dockershd does: logins to it are refused. Such an engine serves its user where neither the service runs " +
			"nor dockersh is setuid; or let the settings name a rootful engine",
		lines: []string{"grep -n dockersocket " + h.Settings},
	}
}

// helpersGone finds containers that mount the programs of an installation that was removed.
func helpersGone(h *facts.Host, e *facts.Engine) *fault {
	if len(e.Lost) == 0 {
		return nil
	}
	f := &fault{text: "containers that another installation of dockersh made cannot be started: they mount its programs from " +
		strings.Join(e.Lost, ", ")}
	for _, at := range e.Lost {
		f.lines = append(f.lines, "mkdir -p "+filepath.Dir(at)+" && ln -sT "+h.Helpers+" "+at)
	}
	return f
}

// apparmorSignals finds a Podman whose containers keep the label of their runtime beside their own:
// under no-new-privileges crun only adds a profile, and that of containers refuses signals to such
// a label. runc does not.
func apparmorSignals(h *facts.Host, e *facts.Engine) *fault {
	stacked := slices.ContainsFunc(h.Users, func(u *facts.User) bool {
		return u.Settings != nil && u.Settings.DockerSocket == e.Socket && u.Settings.NoNewPrivileges && !u.Settings.Sudo
	})
	if e.Name != "Podman" || e.Runc != "" || len(e.Profiles) == 0 || e.RootlessUID != 0 || !stacked {
		return nil
	}
	text := "AppArmor's profile of " + e.Profiles[0] + " makes the kernel refuse all signals that processes of a container " +
		"with nonewprivileges send: kill fails, and what a session leaves behind is not hung up. "
	if !slices.Contains(e.Profiles, "podman") {
		return &fault{text: text + "Without the profile, restart the containers",
			lines: []string{"ln -s /etc/apparmor.d/crun /etc/apparmor.d/disable/", "apparmor_parser -R /etc/apparmor.d/crun"}}
	}
	// Without that of crun it would be that of podman, which rootless engines need.
	return &fault{text: text + "With runc, make the containers again: dockershctl reset NAME",
		lines: []string{"apt-get install runc", "mkdir -p /etc/containers/containers.conf.d",
			`printf '[engine]\nruntime = "runc"\n' >/etc/containers/containers.conf.d/runc.conf`}}
}

// pruneJob finds jobs that remove the containers of users who are not logged in.
func pruneJob(h *facts.Host) (found []fault) {
	for _, p := range h.Prunes {
		found = append(found, fault{text: "line " + strconv.Itoa(p.Line) +
			" removes the stopped containers of users, with all work in them: " + p.Text + ". A filter spares them",
			file: p.File, lines: []string{"--filter label!=dockersh.uid"}})
	}
	return found
}

// userGone finds containers that no login can enter any more: a new account of the name
// is refused while the container is there.
func userGone(_ *facts.Host, e *facts.Engine) *fault {
	if len(e.Gone) == 0 {
		return nil
	}
	var names, whose []string
	for _, c := range e.Gone {
		names = append(names, c.Name)
		whose = append(whose, c.Name+" (of "+c.User+", uid "+strconv.FormatUint(uint64(c.UID), 10)+")")
	}
	return &fault{
		text:  "containers of accounts that do not exist any more: " + strings.Join(whose, ", "),
		lines: []string{"dockershctl rm " + strings.Join(names, " ")},
	}
}

func engineVersion(_ *facts.Host, e *facts.Engine) *fault {
	if !older(e.Version, e.Oldest) {
		return nil
	}
	return &fault{text: e.Name + " " + e.Version + " at " + e.Socket + " is older than " + e.Oldest +
		", the oldest that dockersh works with"}
}

// runcHoles are ways out of a container, and the release of runc that closed each. A
// branch may have its own.
var runcHoles = []struct {
	branch, fixed, what string
}{
	{"", "1.0.0-rc7", "CVE-2019-5736"},
	{"", "1.1.12", "CVE-2024-21626"},
	{"", "1.1.14", "CVE-2024-45310"}, // with a mount in a directory that users can change
	{"1.2.", "1.2.0-rc.3", "CVE-2024-45310"},
	{"1.3.", "1.3.3", "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"},
	{"1.4.", "1.4.0-rc.3", "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"},
	{"", "1.2.8", "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"},
}

func runtimeVersion(_ *facts.Host, e *facts.Engine) *fault {
	if e.Runc == "" {
		return nil
	}
	var open []string
	for _, hole := range runcHoles {
		if !strings.HasPrefix(e.Runc, hole.branch) || !older(e.Runc, hole.fixed) {
			continue
		}
		for what := range strings.SplitSeq(hole.what, ", ") {
			if !slices.Contains(open, what) && !slices.Contains(e.Mended, what) {
				open = append(open, what)
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	return &fault{
		text: "runc " + e.Runc + " is older than the release that closed " + strings.Join(open, ", ") +
			". A distribution may have closed them without a new number: look for these names in its changelog, or upgrade runc",
		lines: []string{"apt-get changelog runc | grep CVE-", "rpm -q --changelog runc | grep CVE-", "apt-get install --only-upgrade runc"},
	}
}

// liveRestore finds an engine whose upgrade ends all sessions.
func liveRestore(_ *facts.Host, e *facts.Engine) *fault {
	if e.LiveRestore {
		return nil
	}
	return &fault{text: "every restart of the engine at " + e.Socket + ", as in an upgrade, stops all containers and ends their sessions",
		file: "/etc/docker/daemon.json", lines: []string{`"live-restore": true`}}
}

func seccomp(_ *facts.Host, e *facts.Engine) *fault {
	if e.Seccomp {
		return nil
	}
	return &fault{text: "the engine at " + e.Socket + " filters no system calls: a container can make every call to the kernel"}
}

// userNamespaces finds an engine without user namespaces, where root inside is root to
// the kernel, if anybody is root inside.
func userNamespaces(h *facts.Host, e *facts.Engine) *fault {
	if e.UserNamespaces {
		return nil
	}
	root := slices.ContainsFunc(h.Users, func(u *facts.User) bool {
		return u.Settings != nil && u.Settings.DockerSocket == e.Socket && u.UID != 0 &&
			(rootInside(u.Settings.ContainerUserName) || u.Settings.UserMay("containerusername"))
	})
	if !root {
		return nil
	}
	return &fault{text: "some users are root in their container, or can be, and the engine at " + e.Socket +
		" has no user namespaces: to the kernel they are the host's root, with fewer capabilities and a filter"}
}

func rootInside(name string) bool {
	uid, _, _ := strings.Cut(name, ":")
	n, err := strconv.Atoi(uid)
	return name == "root" || err == nil && n == 0
}

// older reports whether version a is older than b by their numbers. Of two with the same
// numbers the release candidate ("-rc.2", "-rc93") is older. Text that is not a version
// is not older.
func older(a, b string) bool {
	x, xrc := numbersOf(a)
	y, yrc := numbersOf(b)
	if len(x) == 0 {
		return false
	}
	for len(x) < len(y) {
		x = append(x, 0)
	}
	for len(y) < len(x) {
		y = append(y, 0)
	}
	if c := slices.Compare(x, y); c != 0 {
		return c < 0
	}
	return xrc < yrc
}

// final stands for a version that is not a release candidate.
const final = 1 << 30

// numbersOf returns the numbers at the start of a version, and the number of the release
// candidate, or final.
func numbersOf(version string) (numbers []int, candidate int) {
	version = strings.TrimPrefix(version, "v")
	end := strings.IndexFunc(version, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	rest := ""
	if end >= 0 {
		version, rest = version[:end], version[end:]
	}
	for _, part := range strings.Split(strings.TrimSuffix(version, "."), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, final
		}
		numbers = append(numbers, n)
	}
	rc, ok := strings.CutPrefix(strings.NewReplacer("~", "", "-", "", ".", "").Replace(rest), "rc")
	if !ok {
		return numbers, final
	}
	if end := strings.IndexFunc(rc, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		rc = rc[:end]
	}
	candidate, _ = strconv.Atoi(rc)
	return numbers, candidate
}
