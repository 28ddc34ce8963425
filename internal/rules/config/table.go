package config

import "strings"

type kind uint8

const (
	kindString kind = iota
	kindNumber      // a string to us, a decimal number to the engine
	kindBool
	kindInt
	kindDuration
	kindArray
)

func (k kind) String() string {
	return [...]string{"string", "number", "bool", "int", "duration", "array"}[k]
}

// row is everything that is known of a setting. A new setting is a new row and
// a new field of Settings, nothing else.
type row struct {
	key   string
	kind  kind
	def   []string // the default; one element unless kindArray
	gate  bool     // there is an enableuserKEY for it: ~/.dockersh may set it
	made  bool     // it makes the container what it is: part of Settings.Hash
	path  bool     // a strange user name must not become part of it
	colon bool     // a colon means something in it: no place for an IPv6 address
	empty bool     // may be empty
	white string   // white space that it may hold besides the blank

	// later: what it does is not built yet. Only today is accepted, the value
	// that says what happens anyway; for an array that is the empty one.
	later bool
	today string

	// check judges a value with every %-sequence replaced; at first with sample
	// values, so that most faults are found without a user. With raw it judges
	// the template itself.
	check func(string) *problem
	raw   bool
	// norm gives what is kept of a right value.
	norm  func(string) string
	field func(*Settings) any // pointer to its field
	doc   string
}

const (
	gatePrefix          = "enableuser"
	keyEnableUserConfig = "enableuserconfig"
	keyContainerName    = "containername"
)

var table = [...]row{
	{key: "imagename", colon: true, def: []string{"busybox"}, gate: true, made: true, path: true, check: checkImage,
		field: func(s *Settings) any { return &s.ImageName },
		doc:   "image that containers are made from"},
	{key: keyContainerName, def: []string{"%u_dockersh"}, gate: true, check: checkContainerName, raw: true,
		field: func(s *Settings) any { return &s.ContainerName },
		doc:   "container to enter; users who are given the same name share it"},
	{key: "mounthome", kind: kindBool, def: []string{"false"}, gate: true, made: true,
		field: func(s *Settings) any { return &s.MountHome },
		doc:   "mount the user's home directory"},
	{key: "mounthomefrom", def: []string{"%h"}, gate: true, made: true, path: true, check: checkPath,
		field: func(s *Settings) any { return &s.MountHomeFrom },
		doc:   "path of the home directory on the host"},
	{key: "mounthometo", def: []string{"%h"}, gate: true, made: true, path: true, check: checkPath,
		field: func(s *Settings) any { return &s.MountHomeTo },
		doc:   "path of the home directory in the container"},
	{key: "mounttmp", kind: kindBool, def: []string{"false"}, gate: true, made: true,
		field: func(s *Settings) any { return &s.MountTmp },
		doc:   "mount the host's /tmp"},
	{key: "usercwd", def: []string{"%h"}, gate: true, path: true, check: checkPath,
		field: func(s *Settings) any { return &s.UserCwd },
		doc:   "working directory of the session"},
	{key: "containerusername", def: []string{"%u"}, gate: true, check: checkUserName,
		field: func(s *Settings) any { return &s.ContainerUserName },
		doc:   "container user: a name, or a numeric uid[:gid]"},
	{key: "shell", def: []string{"/bin/ash"}, gate: true, path: true, check: checkProgram,
		field: func(s *Settings) any { return &s.Shell },
		doc:   "shell in the container"},
	{key: "mountdockersocket", kind: kindBool, def: []string{"false"}, gate: true, made: true,
		field: func(s *Settings) any { return &s.MountDockerSocket },
		doc:   "mount the engine's socket at /var/run/docker.sock, which gives the user the host"},
	{key: "dockersocket", def: []string{"/var/run/docker.sock"}, gate: true, made: true, path: true, check: checkSocket, norm: plainSocket,
		field: func(s *Settings) any { return &s.DockerSocket },
		doc:   "the engine: a socket on the host, tcp://HOST:PORT or ssh://USER@HOST"},
	{key: "entrypoint", def: []string{Internal}, gate: true, made: true, path: true, check: checkEntrypoint,
		field: func(s *Settings) any { return &s.Entrypoint },
		doc:   "process 1 of the container; internal is dockersh's own"},
	{key: "cmd", kind: kindArray, gate: true, made: true, empty: true,
		field: func(s *Settings) any { return &s.Cmd },
		doc:   "arguments for an entrypoint of your own"},
	{key: "dockeropt", colon: true, kind: kindArray, gate: true, made: true, check: checkDockerOpt, raw: true, white: "\t", path: true,
		field: func(s *Settings) any { return &s.DockerOpt },
		doc:   "further options of docker create, one with its value per line"},
	{key: "reverseforward", kind: kindArray, gate: true, check: checkForward, later: true,
		field: func(s *Settings) any { return &s.ReverseForward },
		doc:   "HOSTPORT:CONTAINERPORT: a service on the host's loopback, reachable in the container"},
	{key: keyEnableUserConfig, kind: kindBool, def: []string{"false"},
		field: func(s *Settings) any { return &s.EnableUserConfig },
		doc:   "read ~/.dockersh"},

	{key: "adopt", kind: kindBool, def: []string{"false"},
		field: func(s *Settings) any { return &s.Adopt },
		doc:   "enter a container of that name that was made by hand, and make none"},
	{key: "dockertls", def: []string{""}, empty: true, path: true, check: checkPath,
		field: func(s *Settings) any { return &s.DockerTLS },
		doc:   "directory of ca.pem, cert.pem and key.pem for an engine at tcp://"},
	{key: "ephemeral", kind: kindBool, def: []string{"false"},
		field: func(s *Settings) any { return &s.Ephemeral },
		doc:   "remove the container when its last session ends"},
	{key: "linger", kind: kindDuration, def: []string{"0"},
		field: func(s *Settings) any { return &s.Linger },
		doc:   "how long an ephemeral container waits for the next login before it is removed"},
	{key: "idletimeout", kind: kindDuration, def: []string{"0"},
		field: func(s *Settings) any { return &s.IdleTimeout },
		doc:   "stop the container after this long without a session or a process; 0 is never"},
	{key: "onchange", def: []string{"keep"}, check: checkOnChange,
		field: func(s *Settings) any { return &s.OnChange },
		doc:   "what to do when the settings or the image changed: keep the container, or recreate it"},
	{key: "pull", def: []string{"missing"}, check: checkPull,
		field: func(s *Settings) any { return &s.Pull },
		doc:   "when to pull the image: missing, always or never"},
	{key: "memory", def: []string{""}, made: true, empty: true, check: checkMemory,
		field: func(s *Settings) any { return &s.Memory },
		doc:   "memory limit, such as 512m or 2g"},
	{key: "cpus", kind: kindNumber, def: []string{""}, made: true, empty: true, check: checkCPUs,
		field: func(s *Settings) any { return &s.CPUs },
		doc:   "processor limit, such as 1.5"},
	{key: "pidslimit", kind: kindInt, def: []string{"1024"}, made: true, check: checkNotNegative,
		field: func(s *Settings) any { return &s.PidsLimit },
		doc:   "limit on processes and threads; 0 is no limit"},
	{key: "env", kind: kindArray, made: true, check: checkEnv,
		field: func(s *Settings) any { return &s.Env },
		doc:   "NAME=VALUE for everything in the container"},
	{key: "volume", colon: true, kind: kindArray, made: true, path: true, check: checkVolume,
		field: func(s *Settings) any { return &s.Volume },
		doc:   "mount, in the form of docker's -v"},
	{key: "network", def: []string{""}, made: true, empty: true, check: checkWord,
		field: func(s *Settings) any { return &s.Network },
		doc:   "network, in the form of docker's --network"},
	{key: "hostname", def: []string{""}, made: true, empty: true, check: checkHostname,
		field: func(s *Settings) any { return &s.Hostname },
		doc:   "host name in the container"},
	{key: "capdrop", kind: kindArray, def: []string{"SETUID", "SETGID", "NET_RAW", "MKNOD"}, made: true, check: checkCapability, norm: plainCapability,
		field: func(s *Settings) any { return &s.CapDrop },
		doc:   "capabilities that nothing in the container has"},
	{key: "capadd", kind: kindArray, made: true, check: checkCapability, norm: plainCapability,
		field: func(s *Settings) any { return &s.CapAdd },
		doc:   "capabilities beyond the engine's defaults"},
	{key: "nonewprivileges", kind: kindBool, def: []string{"true"}, made: true,
		field: func(s *Settings) any { return &s.NoNewPrivileges },
		doc:   "keep programs in the container from gaining privileges when they start"},
	{key: "acceptenv", kind: kindArray, def: []string{"TERM", "LANG", "LC_*", "COLORTERM", "TZ"}, check: checkEnvPattern,
		field: func(s *Settings) any { return &s.AcceptEnv },
		doc:   "variables of the client's environment that go into the container"},
	{key: "forwardagent", kind: kindBool, def: []string{"true"}, later: true, today: "false",
		field: func(s *Settings) any { return &s.ForwardAgent },
		doc:   "carry ssh -A into the container"},
	{key: "forwardx11", kind: kindBool, def: []string{"true"}, later: true, today: "false",
		field: func(s *Settings) any { return &s.ForwardX11 },
		doc:   "carry ssh -X into the container"},
	{key: "maxsessions", kind: kindInt, def: []string{"0"}, check: checkNotNegative,
		field: func(s *Settings) any { return &s.MaxSessions },
		doc:   "live sessions per user; 0 is no limit"},
	{key: "record", def: []string{""}, empty: true, path: true, check: checkFile,
		field: func(s *Settings) any { return &s.Record },
		doc:   "path of a recording of each terminal session, in a place that users cannot write"},
	{key: "auditcommand", kind: kindBool, def: []string{"false"},
		field: func(s *Settings) any { return &s.AuditCommand },
		doc:   "keep the command of each session in the log and in the history"},
	{key: "banner", def: []string{""}, empty: true, white: "\t\n",
		field: func(s *Settings) any { return &s.Banner },
		doc:   "text shown at interactive logins"},
	{key: "hostshell", def: []string{""}, empty: true, path: true, check: checkProgram,
		field: func(s *Settings) any { return &s.HostShell },
		doc:   "break-glass: this shell on the host instead of a container"},
}

// lookup finds a setting or a gate by its lower-case key. The row of a gate is
// made up from the row of what it guards.
func lookup(key string) (r row, ok bool) {
	for i := range table {
		if table[i].key == key {
			return table[i], true
		}
	}
	if name, isGate := strings.CutPrefix(key, gatePrefix); isGate {
		for i := range table {
			if table[i].key == name && table[i].gate {
				return row{key: key, kind: kindBool, def: []string{"false"}}, true
			}
		}
	}
	return row{}, false
}

// Doc is one line of the table of settings in the manual.
type Doc struct {
	Key     string
	Type    string // string, number, bool, int, duration or array
	Default string // elements of an array are separated by spaces
	Meaning string
}

// Table gives every setting in the order in which people should read of them.
// The gates are one line, enableuserNAME.
func Table() []Doc {
	out := make([]Doc, 0, len(table)+1)
	for i := range table {
		r := &table[i]
		out = append(out, Doc{r.key, r.kind.String(), strings.Join(r.def, " "), r.doc})
		if r.key == keyEnableUserConfig {
			out = append(out, Doc{gatePrefix + "NAME", "bool", "false",
				"let ~/.dockersh set NAME, which is one of the settings above"})
		}
	}
	return out
}
