package pam

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// harness builds the program that parses and receives as the module does.
func harness(t *testing.T) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	out := filepath.Join(t.TempDir(), "harness")
	cmd := exec.Command(cc, "-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-o", out, "answer_harness.c", "answer.c")
	cmd.Dir = "../../pam"
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// want returns the outcome of a packet: that of the protocol, without a namespace where none
// can be told.
func want(p []byte) uint8 {
	m, err := wire.Decode(p)
	if j, ok := m.(*wire.Joined); ok && err == nil {
		return j.Outcome
	}
	return wire.JoinNothing
}

// packets returns answers, and what is nearly one.
func packets(t *testing.T) (all [][]byte) {
	t.Helper()
	for _, m := range []wire.Message{
		&wire.Joined{Outcome: wire.JoinNamespace}, &wire.Joined{Outcome: wire.JoinHost}, &wire.Joined{Reason: "no engine"},
		&wire.Joined{Outcome: wire.JoinNothing, Reason: strings.Repeat("x", wire.MaxReason)},
		&wire.Joined{Outcome: wire.JoinNamespace, Reason: "\x1b[2J\r\nafter"},
		&wire.Error{Code: 5, Text: "no", Hint: "ask"}, &wire.Progress{Text: "pulling"}, &wire.Ready{}, &wire.Exit{},
	} {
		p, err := wire.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	long, _ := wire.Encode(&wire.Joined{Outcome: wire.JoinHost, Reason: strings.Repeat("x", wire.MaxReason+1)})
	return append(all, long, nil, []byte{19}, []byte{19, 1}, []byte{5}, []byte{5, 0, 255, 255, 255, 255})
}

// mutate changes a packet at random.
func mutate(r *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range 1 + r.IntN(4) {
		switch at := r.IntN(len(p) + 1); r.IntN(4) {
		case 0:
			p = p[:at]
		case 1:
			p = append(p[:at:at], append([]byte{byte(r.Uint32())}, p[at:]...)...)
		case 2:
			if at < len(p) {
				p[at] = byte(r.Uint32())
			}
		case 3:
			if at+4 <= len(p) {
				binary.LittleEndian.PutUint32(p[at:], []uint32{0, 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, uint32(len(p))}[r.IntN(7)])
			}
		}
	}
	return p
}

func TestModuleHasTheNumbersOfTheProtocol(t *testing.T) {
	var texts string
	for _, file := range []string{"answer.h", "pam_dockersh.c"} {
		text, err := os.ReadFile("../../pam/" + file)
		if err != nil {
			t.Fatal(err)
		}
		texts += string(text)
	}
	for name, want := range map[string]int{
		"PROTOCOL_VERSION": wire.Version, "KIND_ERROR": int(wire.KindError), "KIND_JOIN": int(wire.KindJoin), "KIND_JOINED": int(wire.KindJoined),
		"MAX_REASON": wire.MaxReason, "MAX_USER": wire.MaxUser, "MAX_AUTH_INFO": wire.MaxAuthInfo,
	} {
		if !strings.Contains(texts, fmt.Sprintf("#define %s %d\n", name, want)) {
			t.Errorf("%s is not %d", name, want)
		}
	}
	outcomes := fmt.Sprintf("JOIN_NOTHING = %d, JOIN_NAMESPACE = %d, JOIN_HOST = %d }", wire.JoinNothing, wire.JoinNamespace, wire.JoinHost)
	if !strings.Contains(texts, outcomes) {
		t.Errorf("the outcomes are not %s", outcomes)
	}
}

func TestModuleParsesAnswersAsTheProtocolDoes(t *testing.T) {
	program := harness(t)
	all := packets(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, p := range packets(t) {
		for range 2000 {
			all = append(all, mutate(r, p))
		}
	}
	var in bytes.Buffer
	for _, p := range all {
		_ = binary.Write(&in, binary.LittleEndian, uint32(len(p)))
		in.Write(p)
	}
	cmd := exec.Command(program, "parse")
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%d lines for %d packets", len(lines), len(all))
	}
	seen := map[uint8]int{}
	for i, line := range lines {
		var outcome uint8
		var open int
		if _, err := fmt.Sscan(line, &outcome, &open); err != nil || outcome != want(all[i]) || open != 0 {
			t.Errorf("%q: %q (%v), want %d", all[i], line, err, want(all[i]))
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q: the reason controls a terminal: %q", all[i], line)
		}
		seen[outcome]++
	}
	if len(seen) != 3 {
		t.Errorf("outcomes %v: the seeds do not have all", seen)
	}
}

func TestModuleKeepsOneDescriptorOfAnAnswerOrNone(t *testing.T) {
	program := harness(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	cmd := exec.Command(program, "receive")
	cmd.ExtraFiles = []*os.File{theirs}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	namespace, _ := wire.Encode(&wire.Joined{Outcome: wire.JoinNamespace})
	onHost, _ := wire.Encode(&wire.Joined{Outcome: wire.JoinHost})
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var wants []string
	for _, c := range []struct {
		packet []byte
		fds    int
		want   uint8
	}{
		{namespace, 1, wire.JoinNamespace}, {namespace, 0, wire.JoinNothing}, {namespace, 2, wire.JoinNothing}, {namespace, 8, wire.JoinNothing},
		{namespace, 9, wire.JoinNothing}, {namespace, 250, wire.JoinNothing}, {onHost, 0, wire.JoinHost}, {onHost, 3, wire.JoinHost},
		{[]byte{1}, 2, wire.JoinNothing}, {append(bytes.Clone(namespace), make([]byte, 5000)...), 1, wire.JoinNothing},
		{make([]byte, wire.MaxPacket), 0, wire.JoinNothing},
	} {
		fds := make([]int, c.fds)
		for i := range fds {
			fds[i] = int(null.Fd())
		}
		var rights []byte
		if c.fds > 0 {
			rights = unix.UnixRights(fds...)
		}
		if err := unix.Sendmsg(pair[0], c.packet, rights, nil, unix.MSG_NOSIGNAL); err != nil {
			t.Fatal(err)
		}
		wants = append(wants, fmt.Sprintf("%d 0 ", c.want))
	}
	_ = unix.Close(pair[0])
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(wants)+1 {
		t.Fatalf("%q", lines)
	}
	for i, w := range wants {
		if !strings.HasPrefix(lines[i], w) {
			t.Errorf("packet %d: %q, want %q", i, lines[i], w)
		}
	}
}
