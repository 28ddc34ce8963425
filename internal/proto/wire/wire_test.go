package wire

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/limits"
)

// samples holds one message of every kind, with every field filled.
func samples() []Message {
	return []Message{
		&Login{Version: Version, Terminal: true, HasCommand: true, UserFile: []byte("[dockersh]\n\x00"), UserErr: "too large", AuthInfo: []byte("publickey x y\n"), X11: true},
		&Progress{Text: "pulling"},
		&Ready{Shell: "/bin/ash", Fallback: "/bin/sh", Cwd: "/srv", Accept: []string{"LANG", "LC_*"}, Notice: []string{"hello"}, Container: "alice_dockersh", SSHAgent: true, X11: true},
		&HostShell{Shell: "/bin/bash"},
		&ReadFile{Dir: "/srv/homes/alice"},
		&UserFile{UserFile: []byte("[dockersh]\n"), UserErr: "too large"},
		&Error{Code: 3, Text: "no", Hint: "ask"},
		&Why{},
		&Reason{Text: "stopped"},
		&Hello{Version: AgentVersion},
		&Serve{User: "alice", Home: "/home/alice"},
		&Ended{Status: 7 << 8},
		&Start{Terminal: true, Rows: 24, Cols: 80, Termios: []byte{1, 2}, Path: "/bin/ash",
			Argv: []string{"-ash"}, Env: []string{"A=b", ""}, Cwd: "/"},
		&Start{Argv: []string{"x"}, Env: []string{}, Inherited: &Inherited{Umask: 0o27, Nice: -20, Limits: someLimits}, Fallback: "/bin/sh"},
		&Start{Argv: []string{}, Env: []string{}, Inherited: &Inherited{Limits: someLimits}, SSHAgent: true, Display: "localhost:10.0", Cookies: []byte{1, 0}},
		&Started{Terminal: true, Notice: "x"},
		&Started{SSHAgent: true},
		&Started{X11: true, Notice: "x"},
		&Started{Terminal: true, Piped: true},
		&Started{Terminal: true, SSHAgent: true, Piped: true},
		&Signal{Number: 15},
		&Exit{Status: 0x8b00, OutOfMemory: true},
		&Join{Version: Version, User: "alice", AuthInfo: []byte("publickey x y\n")},
		&Joined{Outcome: JoinNamespace},
		&Joined{Outcome: JoinNothing, Reason: "there is no engine"},
		&ReadCounters{Version: Version},
		&Counters{Since: 1<<40 + 1, Started: 2, HostShells: 3, Abandoned: 4, Refused: []uint64{5, 0}, Warm: []uint64{}, WarmTime: 1 << 63,
			Cold: []uint64{1, 2, 3}, ColdTime: 6, EngineCalls: 7, EngineFails: 8, Slots: 9, SlotsInUse: 10, Queue: 11},
		&Count{},
		&Processes{Others: 70000},
		&Bridge{Container: "c0ffee", UID: 1001, GID: 1001, User: "alice", Agent: true, Record: true, Title: "alice"},
		&Bridge{Engine: "/run/docker.sock", TLS: "/etc/tls", Container: "c0ffee", UID: 1001, GID: 4294967294, User: "alice", Home: "/home/alice",
			Name: "alice_dockersh", Host: "login1-x", Session: "y"},
	}
}

func TestEveryMessageIsReceivedAsItWasSent(t *testing.T) {
	seen := map[Kind]bool{}
	for _, m := range samples() {
		p, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(p)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("sent %#v, received %#v", m, got)
		}
		seen[m.Kind()] = true
	}
	for k := range 256 {
		if (blank(Kind(k)) != nil) != seen[Kind(k)] {
			t.Errorf("kind %d has no sample", k)
		}
	}
}

// tooManyNumbers is a Counters with more numbers in a field than one has.
var tooManyNumbers, _ = Encode(&Counters{Warm: make([]uint64, maxNumbers+1)})

var someLimits = [limits.Number]limits.Limit{3: {Soft: 8 << 20, Hard: limits.Unlimited}, 7: {Soft: 1024, Hard: 1<<40 + 5}}

// endOfOldStart returns the length of a Start without what agents of version 1 do not know.
func endOfOldStart(m *Start) int {
	old := *m
	old.Inherited, old.Fallback = nil, ""
	p, _ := Encode(&old)
	return len(p)
}

// ends returns the lengths of a Started without its last flags, all of them or one group.
func ends(m *Started) (lengths []int) {
	for _, older := range []Started{{SSHAgent: m.SSHAgent, X11: m.X11}, {}} {
		older.Terminal, older.Notice = m.Terminal, m.Notice
		p, _ := Encode(&older)
		lengths = append(lengths, len(p))
	}
	return lengths
}

func TestDamagedPacketIsRefused(t *testing.T) {
	for _, m := range samples() {
		p, _ := Encode(m)
		if _, err := Decode(append(bytes.Clone(p), 0)); err == nil {
			t.Errorf("%T followed by another byte was accepted", m)
		}
		for n := range len(p) {
			if start, ok := m.(*Start); ok && n == endOfOldStart(start) {
				continue
			}
			if s, ok := m.(*Started); ok && slices.Contains(ends(s), n) {
				continue
			}
			if _, err := Decode(p[:n]); err == nil {
				t.Errorf("%T cut to %d of %d bytes was accepted", m, n, len(p))
			}
		}
	}
	for _, in := range []*Inherited{{Umask: 0o1000}, {Nice: 20}, {Nice: -21}} {
		p, _ := Encode(&Start{Argv: []string{"x"}, Inherited: in})
		if _, err := Decode(p); err == nil {
			t.Errorf("%+v was accepted", in)
		}
	}
	for _, p := range [][]byte{nil, {0}, {255}, {byte(KindReason), 2, 0, 0, 0, 'a', 0}, {byte(KindJoined), 3, 0, 0, 0, 0}, tooManyNumbers} {
		if _, err := Decode(p); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}

func TestPacketOverTheLimitIsNotSent(t *testing.T) {
	if _, err := Encode(&Reason{Text: strings.Repeat("x", MaxPacket)}); err != ErrTooLarge {
		t.Fatalf("got %v", err)
	}
	if _, err := Encode(&Start{Argv: []string{"sh", "-c", strings.Repeat("x", 128<<10)}}); err != nil {
		t.Fatalf("a command of 128 KiB: %v", err)
	}
}

func TestUserFileHasALimitOfItsOwn(t *testing.T) {
	for size, ok := range map[int]bool{MaxUserFile: true, MaxUserFile + 1: false} {
		p, err := Encode(&Login{Version: Version, UserFile: make([]byte, size)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(p); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// A login waits with what it brought, and a user can have thousands that wait.
func TestReasonOfAFileThatCannotBeReadIsShort(t *testing.T) {
	for size, ok := range map[int]bool{MaxUserErr: true, MaxUserErr + 1: false, 190_000: false} {
		p, err := Encode(&Login{Version: Version, UserErr: strings.Repeat("x", size)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(p); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func isOfAnotherVersion(m Message) bool {
	switch m := m.(type) {
	case *Login:
		return m.Version != Version
	case *Join:
		return m.Version != Version
	case *ReadCounters:
		return m.Version != Version
	}
	return false
}

// Its sender learns why it is refused: its fields may be other ones.
func TestMessageOfAnotherVersionIsThatVersionAlone(t *testing.T) {
	for _, m := range []Message{&Login{Version: Version - 1, UserErr: "x"}, &Join{Version: Version + 1, User: "alice"}, &ReadCounters{Version: Version + 1}} {
		p, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][]byte{p, p[:3], p[:5], append(p, 7)} {
			got, err := Decode(p)
			if err != nil || !isOfAnotherVersion(got) {
				t.Errorf("%x: %#v, %v", p, got, err)
			}
			if l, ok := got.(*Login); ok && l.UserErr != "" {
				t.Errorf("%x: its fields were read", p)
			}
		}
		if _, err := Decode(p[:2]); err == nil {
			t.Error("a message without a version was accepted")
		}
	}
}

// A packet that is decoded is encoded to the same bytes: each message has one form.
func FuzzDecode(f *testing.F) {
	for _, m := range samples() {
		p, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := Decode(p)
		if err != nil || isOfAnotherVersion(m) {
			return
		}
		if n := m.FDs(); n < 0 || n > MaxFDs {
			t.Fatalf("%T has %d descriptors", m, n)
		}
		q, err := Encode(m)
		if err != nil || !bytes.Equal(p, q) {
			t.Fatalf("%x became %x (%v)", p, q, err)
		}
	})
}
