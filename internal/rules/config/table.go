package config

import (
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// Settings are the effective settings of one user. A field has the name of its setting;
// its type is the setting's type. Strings are templates until Expand has made a copy with
// every %-sequence replaced.
type Settings struct {
	ImageName         string
	ContainerName     string // after Expand: escaped, fit for the engine
	MountHome         bool
	MountHomeFrom     string
	MountHomeTo       string
	MountTmp          bool
	UserCwd           string
	ContainerUserName string // a name, a uid or uid:gid
	Shell             string
	MountDockerSocket bool
	DockerSocket      string // a path, without unix://; tcp://, ssh:// or kubernetes://
	Entrypoint        string // Internal, or an absolute path
	Cmd               []string
	DockerOpt         [][]string // one option each, split into one or two words
	ReverseForward    []string   // HOSTPORT:CONTAINERPORT
	EnableUserConfig  bool

	Adopt           bool
	MakeHome        string // a directory that a new home starts from; empty: none is made
	DockerTLS       string // a directory; empty: none
	KubeConfig      string // a file, with a context after #; empty: that of the pod that this host is
	PodTemplate     string // a file; empty: none
	HomeClaim       string // name of the volume claim of the home; empty: none
	HomeSize        string
	HomeClass       string // empty: the cluster's
	Ephemeral       bool
	Linger          time.Duration
	IdleTimeout     time.Duration // 0: never
	OnChange        string        // "keep" or "recreate"
	AllowImage      []string      // patterns with * and ?; none: any image but one of a container
	Pull            string        // "missing", "always" or "never"
	Memory          string        // as the engine's option; empty: no limit
	CPUs            Number        // as the engine's option; empty: no limit
	PidsLimit       int           // 0: no limit
	Env             []string      // NAME=VALUE, or NAME
	Volume          []string
	Network         string
	Hostname        string
	CapDrop         []string // without the CAP_ prefix
	CapAdd          []string // without the CAP_ prefix
	NoNewPrivileges bool
	Sudo            bool
	AcceptEnv       []string // patterns with * and ?
	ForwardAgent    bool
	ForwardX11      bool
	MaxSessions     int    // 0: no limit
	Record          string // empty: no recording
	RecordMax       string // size; empty: no limit
	AuditCommand    bool
	Log             string // "sessions" or "refusals"
	Banner          string // may have several lines
	HostShell       string // empty: a container, as it should be

	state    map[string]state // of settings and gates that do not have their default
	expanded bool
	identity string
}

// Number is a decimal number that only the engine reads.
type Number string

// Internal is the Entrypoint that stands for dockersh's own process 1.
const Internal = "internal"

// row is all that is known of a setting. See the package comment for what else a new
// one takes.
type row struct {
	key   string
	field func(*Settings) any // returns a pointer to the setting's field
	def   string              // the default; elements of an array are separated by spaces
	doc   string

	gate   bool                 // there is an enableuserKEY for it: ~/.dockersh may set it
	live   bool                 // of a hashed one: the engine can change it in a container that exists
	hashed bool                 // it makes the container what it is: part of Settings.Hash
	under  func(*Settings) bool // but only where this holds
	path   bool                 // a strange user name must not become part of it
	colon  bool                 // a colon has a meaning in it: no place for an IPv6 address
	number bool                 // a number has a meaning in it: no place for a user called 0
	empty  bool                 // may be empty
	bare   bool                 // the key alone is "true", as of a bool
	white  string               // white space that it may have besides the blank

	// check judges a value with every %-sequence replaced; at first with sample values, so
	// that most faults are found without a user. With raw it judges the template itself.
	check func(string) *syntax.Problem
	raw   bool
	norm  func(string) string // returns what is kept of a right value
	// expand replaces the %-sequences of a value whose template is raw.
	expand func(text string, t template.Template, v template.Vars) (string, *syntax.Problem)
	// needs judges the setting by the others.
	needs func(*Settings) *syntax.Problem
}

const (
	gatePrefix          = "enableuser"
	keyEnableUserConfig = "enableuserconfig"
)

var table = [...]row{
	{key: "imagename", field: func(s *Settings) any { return &s.ImageName }, def: "busybox",
		doc:   "image that containers are made from",
		colon: true, gate: true, hashed: true, path: true, check: values.Word},
	{key: "containername", field: func(s *Settings) any { return &s.ContainerName }, def: "%u_dockersh",
		doc:  "container to enter; users whose settings have the same name share it",
		gate: true, raw: true, check: template.CheckContainerName, expand: expandContainerName},
	{key: "mounthome", field: func(s *Settings) any { return &s.MountHome }, def: "false",
		doc:  "mount the user's home directory",
		gate: true, hashed: true},
	{key: "mounthomefrom", field: func(s *Settings) any { return &s.MountHomeFrom }, def: "%h",
		doc:  "path of the home directory on the host",
		gate: true, hashed: true, under: func(s *Settings) bool { return s.MountHome }, path: true, check: values.Path},
	{key: "mounthometo", field: func(s *Settings) any { return &s.MountHomeTo }, def: "%h",
		doc:  "path of the home directory in the container",
		gate: true, hashed: true, under: func(s *Settings) bool { return s.MountHome }, path: true,
		check: values.Path, needs: needsHomePlace},
	{key: "mounttmp", field: func(s *Settings) any { return &s.MountTmp }, def: "false",
		doc:  "mount the host's /tmp",
		gate: true, hashed: true},
	{key: "usercwd", field: func(s *Settings) any { return &s.UserCwd }, def: "%h",
		doc:  "working directory of the session",
		gate: true, path: true, check: values.Path},
	{key: "containerusername", field: func(s *Settings) any { return &s.ContainerUserName }, def: "%u",
		doc:  "container user: a name, or a numeric uid[:gid]",
		gate: true, number: true, check: values.UserName},
	{key: "shell", field: func(s *Settings) any { return &s.Shell }, def: "/bin/ash",
		doc:  "shell in the container",
		gate: true, path: true, check: values.Program},
	{key: "mountdockersocket", field: func(s *Settings) any { return &s.MountDockerSocket }, def: "false",
		doc:  "mount the engine's socket at /var/run/docker.sock, which makes the user root on the host",
		gate: true, hashed: true},
	{key: "dockersocket", field: func(s *Settings) any { return &s.DockerSocket }, def: "/var/run/docker.sock",
		doc:  "the engine: a socket on the host, tcp://HOST:PORT, ssh://USER@HOST or kubernetes://NAMESPACE",
		gate: true, hashed: true, under: func(s *Settings) bool { return s.MountDockerSocket }, path: true,
		check: values.Socket, norm: values.PlainSocket, needs: needsCertificates},
	{key: "entrypoint", field: func(s *Settings) any { return &s.Entrypoint }, def: Internal,
		doc:  "process 1 of the container; internal is dockersh's own",
		gate: true, hashed: true, path: true, check: checkEntrypoint},
	{key: "cmd", field: func(s *Settings) any { return &s.Cmd },
		doc:  "arguments for an entrypoint of your own",
		gate: true, hashed: true, empty: true, needs: needsEntrypoint},
	{key: "dockeropt", field: func(s *Settings) any { return &s.DockerOpt },
		doc:   "further options of docker create, one with its value per line",
		colon: true, gate: true, hashed: true, raw: true, check: values.DockerOpt, expand: expandDockerOpt, white: "\t", path: true},
	{key: "reverseforward", field: func(s *Settings) any { return &s.ReverseForward },
		doc:  "HOSTPORT:CONTAINERPORT: a service on the host's loopback, reachable in the container",
		gate: true, check: values.Forward, needs: needsForwards},
	{key: keyEnableUserConfig, field: func(s *Settings) any { return &s.EnableUserConfig }, def: "false",
		doc: "read ~/.dockersh"},

	{key: "adopt", field: func(s *Settings) any { return &s.Adopt }, def: "false",
		doc: "enter a container of that name that was made by hand, and make none"},
	{key: "makehome", field: func(s *Settings) any { return &s.MakeHome },
		doc:   "make the directory of mounthomefrom for a user who has none; a path instead of true replaces /etc/skel",
		empty: true, bare: true, path: true, check: values.Skel, norm: values.SkelDir, needs: needsMountHome},
	{key: "dockertls", field: func(s *Settings) any { return &s.DockerTLS },
		doc:   "directory of ca.pem, cert.pem and key.pem for an engine at tcp://",
		empty: true, path: true, check: values.Path},
	{key: "kubeconfig", field: func(s *Settings) any { return &s.KubeConfig },
		doc:   "kubeconfig file for a cluster at kubernetes://, with a context after #",
		empty: true, check: values.KubeConfig},
	{key: "podtemplate", field: func(s *Settings) any { return &s.PodTemplate },
		doc:    "pod manifest that the settings are laid over",
		hashed: true, empty: true, path: true, check: values.Path, needs: needsTemplate},
	{key: "homeclaim", field: func(s *Settings) any { return &s.HomeClaim },
		doc:    "PersistentVolumeClaim that is the user's home, made at the first login",
		hashed: true, empty: true, path: true, check: values.Word, needs: needsClaim},
	{key: "homesize", field: func(s *Settings) any { return &s.HomeSize }, def: "1Gi",
		doc:   "size of a claim that is made",
		check: values.Quantity},
	{key: "homeclass", field: func(s *Settings) any { return &s.HomeClass },
		doc:   "storage class of a claim that is made; empty is the cluster's",
		empty: true, check: values.Word},
	{key: "ephemeral", field: func(s *Settings) any { return &s.Ephemeral }, def: "false",
		doc: "remove the container when its last session ends"},
	{key: "linger", field: func(s *Settings) any { return &s.Linger }, def: "0",
		doc: "how long an ephemeral container waits for the next login before it is removed"},
	{key: "idletimeout", field: func(s *Settings) any { return &s.IdleTimeout }, def: "0",
		doc: "stop the container after this long without a session or a process; 0 is never"},
	{key: "onchange", field: func(s *Settings) any { return &s.OnChange }, def: "keep",
		doc:   "what to do when the settings or the image changed: keep the container, apply the settings to it, or recreate it",
		check: values.OnChange},
	{key: "allowimage", field: func(s *Settings) any { return &s.AllowImage },
		doc:   "patterns of the images that users may name in ~/.dockersh",
		colon: true, path: true, check: values.ImagePattern, expand: expandPattern},
	{key: "pull", field: func(s *Settings) any { return &s.Pull }, def: "missing",
		doc:   "when to pull the image: missing, always or never",
		check: values.Pull},
	{key: "memory", field: func(s *Settings) any { return &s.Memory },
		doc:    "memory limit, such as 512m or 2g",
		hashed: true, live: true, empty: true, check: values.Memory},
	{key: "cpus", field: func(s *Settings) any { return &s.CPUs },
		doc:    "processor limit, such as 1.5",
		hashed: true, live: true, empty: true, check: values.CPUs},
	{key: "pidslimit", field: func(s *Settings) any { return &s.PidsLimit }, def: "1024",
		doc:    "limit on processes and threads; 0 is no limit",
		hashed: true, live: true, check: values.NotNegative},
	{key: "env", field: func(s *Settings) any { return &s.Env },
		doc:    "NAME=VALUE for everything in the container",
		hashed: true, check: values.Env},
	{key: "volume", field: func(s *Settings) any { return &s.Volume },
		doc:   "mount, in the form of docker's -v",
		colon: true, hashed: true, path: true, check: values.Volume, needs: needsFixedPlaces},
	{key: "network", field: func(s *Settings) any { return &s.Network },
		doc:    "network, in the form of docker's --network",
		hashed: true, empty: true, check: values.Word},
	{key: "hostname", field: func(s *Settings) any { return &s.Hostname },
		doc:    "host name in the container",
		hashed: true, empty: true, check: values.Hostname},
	{key: "capdrop", field: func(s *Settings) any { return &s.CapDrop }, def: "SETUID SETGID NET_RAW MKNOD",
		doc:    "capabilities that nothing in the container has",
		hashed: true, check: values.Capability, norm: values.PlainCapability},
	{key: "capadd", field: func(s *Settings) any { return &s.CapAdd },
		doc:    "capabilities beyond the engine's defaults",
		hashed: true, check: values.Capability, norm: values.PlainCapability},
	{key: "nonewprivileges", field: func(s *Settings) any { return &s.NoNewPrivileges }, def: "true",
		doc:    "keep programs in the container from gaining privileges when they start",
		hashed: true},
	{key: "sudo", field: func(s *Settings) any { return &s.Sudo }, def: "false",
		doc:    "let the user become root inside, in an image that has sudo",
		hashed: true, needs: needsPrivileges},
	{key: "acceptenv", field: func(s *Settings) any { return &s.AcceptEnv }, def: "TERM LANG LC_* COLORTERM TZ GIT_PROTOCOL",
		doc:   "variables of the client's environment that go into the container",
		check: values.EnvPattern},
	{key: "forwardagent", field: func(s *Settings) any { return &s.ForwardAgent }, def: "true",
		doc: "carry ssh -A into the container"},
	{key: "forwardx11", field: func(s *Settings) any { return &s.ForwardX11 }, def: "true",
		doc: "carry ssh -X into the container"},
	{key: "maxsessions", field: func(s *Settings) any { return &s.MaxSessions }, def: "0",
		doc:   "live sessions per user; 0 is no limit",
		check: values.NotNegative},
	{key: "record", field: func(s *Settings) any { return &s.Record },
		doc:   "path of a recording of each terminal session, in a place that users cannot write",
		empty: true, path: true, check: values.File},
	{key: "recordmax", field: func(s *Settings) any { return &s.RecordMax },
		doc:   "space that all recordings may take, such as 20g; the oldest go first",
		empty: true, raw: true, check: values.Memory, needs: needsRecord},
	{key: "auditcommand", field: func(s *Settings) any { return &s.AuditCommand }, def: "false",
		doc: "keep the command of each session in the log and in the history"},
	{key: "log", field: func(s *Settings) any { return &s.Log }, def: "sessions",
		doc:   "what goes to the system log: sessions, or refusals only",
		check: values.Log},
	{key: "banner", field: func(s *Settings) any { return &s.Banner },
		doc:   "text shown at interactive logins",
		empty: true, white: "\t\n"},
	{key: "hostshell", field: func(s *Settings) any { return &s.HostShell },
		doc:   "break-glass: this shell on the host instead of a container",
		empty: true, path: true, check: values.Program},
}

// kind is the type of a setting.
type kind uint8

const (
	kindString kind = iota
	kindNumber
	kindBool
	kindInt
	kindDuration
	kindArray
)

func (k kind) String() string {
	return [...]string{"string", "number", "bool", "int", "duration", "array"}[k]
}

var noSettings Settings // only the types of its fields are looked at

func (r *row) kind() kind {
	if r.field == nil {
		return kindBool // a gate
	}
	switch r.field(&noSettings).(type) {
	case *bool:
		return kindBool
	case *int:
		return kindInt
	case *time.Duration:
		return kindDuration
	case *Number:
		return kindNumber
	case *[]string, *[][]string:
		return kindArray
	}
	return kindString
}

// template reports whether the values of the setting may have %-sequences in them.
func (r *row) template() bool {
	k := r.kind()
	return k == kindString || k == kindArray
}

// defaults returns the default as the values of a file.
func (r *row) defaults() []string {
	if r.kind() == kindArray {
		return strings.Fields(r.def)
	}
	return []string{r.def}
}

// lookup finds a setting or a gate by its lower-case key. The row of a gate is derived
// from the row of the setting behind it.
func lookup(key string) (r row, ok bool) {
	name, gate := strings.CutPrefix(key, gatePrefix)
	for i := range table {
		switch {
		case table[i].key == key:
			return table[i], true
		case gate && table[i].gate && table[i].key == name:
			return row{key: key, def: "false"}, true
		}
	}
	return row{}, false
}

// Gates returns the settings that ~/.dockersh may set where the administrator lets it, in
// the order of the manual.
func Gates() (keys []string) {
	for i := range table {
		if table[i].gate {
			keys = append(keys, table[i].key)
		}
	}
	return keys
}

// Doc is one setting in the manual.
type Doc struct {
	Key     string
	Type    string // string, number, bool, int, duration or array
	Default string // elements of an array are separated by spaces
	Meaning string
}

// Table returns every setting in the order of the manual. The gates are one entry,
// enableuserNAME.
func Table() []Doc {
	out := make([]Doc, 0, len(table)+1)
	for i := range table {
		r := &table[i]
		out = append(out, Doc{r.key, r.kind().String(), r.def, r.doc})
		if r.key == keyEnableUserConfig {
			out = append(out, Doc{gatePrefix + "NAME", kindBool.String(), "false",
				"let ~/.dockersh set NAME, which is one of the settings above"})
		}
	}
	return out
}
