package config

import "time"

// Settings are the effective settings of one user. The fields carry templates
// until Expand has made a copy with every %-sequence replaced.
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
	DockerSocket      string // a path, without unix://; tcp:// or ssh://
	Entrypoint        string // Internal, or an absolute path
	Cmd               []string
	DockerOpt         [][]string // one option each, split into one or two words
	ReverseForward    []string
	EnableUserConfig  bool

	Adopt           bool
	DockerTLS       string // a directory; empty: none
	Ephemeral       bool
	Linger          time.Duration
	IdleTimeout     time.Duration // 0: never
	OnChange        string        // "keep" or "recreate"
	Pull            string        // "missing", "always" or "never"
	Memory          string        // as the engine's option; empty: no limit
	CPUs            string        // as the engine's option; empty: no limit
	PidsLimit       int           // 0: no limit
	Env             []string      // NAME=VALUE, or NAME
	Volume          []string
	Network         string
	Hostname        string
	CapDrop         []string // without the CAP_ prefix
	CapAdd          []string // without the CAP_ prefix
	NoNewPrivileges bool
	AcceptEnv       []string // patterns with * and ?
	ForwardAgent    bool
	ForwardX11      bool
	MaxSessions     int    // 0: no limit
	Record          string // empty: no recording
	AuditCommand    bool
	Banner          string // may have several lines
	HostShell       string // empty: a container, as it should be

	state    map[string]state // every key of the table, and the gates
	expanded bool
	identity string
}

// Internal is the Entrypoint that stands for dockersh's own process 1.
const Internal = "internal"

// state is what is known of one setting besides its typed value.
type state struct {
	vals     []value
	origin   Origin
	set      bool // some file says it
	fromUser bool // ~/.dockersh says it
}

// value is one value with its own place: the elements of an array stand on
// lines of their own.
type value struct {
	text string
	at   Origin
	made string // what Hash takes instead of text; empty: text
}

// Setting is one effective setting, for people to read.
type Setting struct {
	Key    string
	Values []string // exactly one unless Array
	Array  bool
	Origin Origin // of an array: where its first element stands
}

// Origin is where the effective value of key was written.
func (s *Settings) Origin(key string) Origin { return s.state[key].origin }

// FromUser says that the effective value of key came from ~/.dockersh.
func (s *Settings) FromUser(key string) bool { return s.state[key].fromUser }

// IsSet says that some file set key: its value is not the built-in default,
// though it may equal it.
func (s *Settings) IsSet(key string) bool { return s.state[key].set }

// UserMay says that ~/.dockersh may set key: it is read at all, and the gate
// "enableuser"+key is open.
func (s *Settings) UserMay(key string) bool {
	return s.EnableUserConfig && s.gateOpen(key)
}

func (s *Settings) gateOpen(key string) bool {
	st, ok := s.state[gatePrefix+key]
	return ok && len(st.vals) == 1 && st.vals[0].text == "true"
}

// All gives every setting in the order of the table, each gate included, for
// `dockershctl explain`.
func (s *Settings) All() []Setting {
	var out []Setting
	for i := range table {
		r := &table[i]
		out = append(out, s.one(r.key, r.kind == kindArray))
		if r.key == keyEnableUserConfig {
			for j := range table {
				if table[j].gate {
					out = append(out, s.one(gatePrefix+table[j].key, false))
				}
			}
		}
	}
	return out
}

func (s *Settings) one(key string, array bool) Setting {
	st := s.state[key]
	out := Setting{Key: key, Array: array, Origin: st.origin, Values: make([]string, 0, len(st.vals))}
	for _, v := range st.vals {
		out.Values = append(out.Values, v.text)
	}
	return out
}

// Identity says, after Expand, for whom the container name stands: the
// variables in it with their values, such as "u=alice". It is empty when the
// name has no variable in it: then all who are given it share the container.
// Two names that are equal with identities that are not belong to different
// people.
func (s *Settings) Identity() string { return s.identity }
