package config

import (
	"reflect"
	"strings"
	"testing"
)

// The defaults that were agreed; the table must not drift from them.
const agreed = `imagename string busybox
containername string %u_dockersh
mounthome bool false
mounthomefrom string %h
mounthometo string %h
mounttmp bool false
usercwd string %h
containerusername string %u
shell string /bin/ash
mountdockersocket bool false
dockersocket string /var/run/docker.sock
entrypoint string internal
cmd array
dockeropt array
reverseforward array
enableuserconfig bool false
enableuserNAME bool false
adopt bool false
dockertls string
ephemeral bool false
linger duration 0
idletimeout duration 0
onchange string keep
pull string missing
memory string
cpus number
pidslimit int 1024
env array
volume array
network string
hostname string
capdrop array SETUID SETGID NET_RAW MKNOD
capadd array
nonewprivileges bool true
acceptenv array TERM LANG LC_* COLORTERM TZ
forwardagent bool true
forwardx11 bool true
maxsessions int 0
record string
auditcommand bool false
banner string
hostshell string
`

func TestTheTableHasTheAgreedDefaults(t *testing.T) {
	var b strings.Builder
	for _, d := range Table() {
		b.WriteString(strings.TrimSpace(d.Key+" "+d.Type+" "+d.Default) + "\n")
		if d.Meaning == "" || strings.HasSuffix(d.Meaning, ".") {
			t.Errorf("%s: meaning %q", d.Key, d.Meaning)
		}
	}
	if b.String() != agreed {
		t.Errorf("got\n%s", b.String())
	}
}

func TestTheDefaultsPassTheirOwnChecks(t *testing.T) {
	for i := range table {
		r := &table[i]
		for _, d := range r.def {
			if _, bad := r.judge(d); bad != nil {
				t.Errorf("%s = %s: %s", r.key, d, bad.text)
			}
		}
		if r.kind != kindArray && len(r.def) != 1 {
			t.Errorf("%s has %d defaults", r.key, len(r.def))
		}
	}
}

func TestEveryRowHasAFieldOfItsOwn(t *testing.T) {
	var s Settings
	seen := map[any]string{}
	fields := 0
	for i := range reflect.TypeFor[Settings]().NumField() {
		if reflect.TypeFor[Settings]().Field(i).IsExported() {
			fields++
		}
	}
	for i := range table {
		p := table[i].field(&s)
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s have one field", table[i].key, other)
		}
		seen[p] = table[i].key
		name := fieldName(&s, p)
		if !strings.EqualFold(name, table[i].key) {
			t.Errorf("%s is kept in %s", table[i].key, name)
		}
	}
	if fields != len(table) {
		t.Errorf("%d exported fields, %d settings", fields, len(table))
	}
}

func fieldName(s *Settings, p any) string {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Field(i).Addr().UnsafePointer() == reflect.ValueOf(p).UnsafePointer() {
			return v.Type().Field(i).Name
		}
	}
	return ""
}

func TestTheDefaultsAreWhatTheFieldsHold(t *testing.T) {
	s, err := (*File)(nil).Effective("alice", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		ImageName: "busybox", ContainerName: "%u_dockersh", MountHomeFrom: "%h", MountHomeTo: "%h", UserCwd: "%h",
		ContainerUserName: "%u", Shell: "/bin/ash", DockerSocket: "/var/run/docker.sock", Entrypoint: Internal,
		OnChange: "keep", Pull: "missing", PidsLimit: 1024, CapDrop: []string{"SETUID", "SETGID", "NET_RAW", "MKNOD"},
		NoNewPrivileges: true, AcceptEnv: []string{"TERM", "LANG", "LC_*", "COLORTERM", "TZ"}, ForwardAgent: true, ForwardX11: true,
		state: s.state,
	}
	if !reflect.DeepEqual(*s, want) {
		t.Errorf("got %+v\nwant %+v", *s, want)
	}
}

func TestExplainShowsEverySettingAndEveryGate(t *testing.T) {
	s := effective(t, parsed(t, "[dockersh]\nenableusercmd\nenv = A=1\nenv = B=2\ncapdrop = CAP_SYS_TIME\ndockersocket = unix:///s\nlinger = 0\n"), nil)
	got := map[string]string{}
	for _, x := range s.All() {
		if _, twice := got[x.Key]; twice {
			t.Errorf("%s twice", x.Key)
		}
		if !x.Array && len(x.Values) != 1 {
			t.Errorf("%s has %d values", x.Key, len(x.Values))
		}
		got[x.Key] = strings.Join(x.Values, "|") + " " + x.Origin.String()
	}
	if len(got) != len(table)+15 {
		t.Errorf("%d settings", len(got))
	}
	for key, want := range map[string]string{
		"enableusercmd": "true rc:2", "enableusershell": "false default", "env": "A=1|B=2 rc:3",
		"capdrop": "SYS_TIME rc:5", "dockersocket": "/s rc:6", "cmd": " default", "pidslimit": "1024 default",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
}
