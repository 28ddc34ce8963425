package sshd

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/proc"
)

func TestTableOfConnectionsIsReadAsTheKernelWritesIt(t *testing.T) {
	for _, network := range []string{"tcp4", "tcp6", "tcp"} {
		l, err := net.Listen(network, map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "tcp": "[::]:0"}[network])
		if err != nil {
			t.Logf("no %s here: %v", network, err)
			continue
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		dialer := net.Dialer{}
		target, want := "[::1]:"+port, "::1"
		if network != "tcp6" {
			dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}
			target, want = "127.0.0.1:"+port, "127.0.0.7" // with "tcp" it is a socket of IPv6
		}
		c, err := dialer.Dial("tcp", target)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f, err := s.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]netip.Addr{}
		for _, table := range []string{"tcp", "tcp6"} {
			text, _ := os.ReadFile("/proc/net/" + table)
			established(string(text), all)
		}
		inode := strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]")
		if got := all[inode].String(); got != want {
			t.Errorf("%s: %s, want %s", network, got, want)
		}
		if got := l.Addr(); len(all) == 0 {
			t.Error(got)
		}
	}
}

func TestLoginWithoutSSHDHasNoAddress(t *testing.T) {
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Address(me); err == nil {
		t.Skip("this test itself was started over ssh")
	}
	// The name of the program is not enough, nor is a program that a user started.
	dir := t.TempDir()
	data, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(dir+"/sshd", data, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/sshd", 0o777); err != nil { // whatever the umask: anyone may write it
		t.Fatal(err)
	}
	cmd := exec.Command(dir+"/sshd", "-c", "read x")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = cmd.Wait() }()
	here, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	if isSSHD(cmd.Process.Pid, here) {
		t.Error("a program that anyone can write is taken for sshd")
	}
	if err := os.Chmod(dir+"/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 && !isSSHD(cmd.Process.Pid, here) {
		t.Error("the program is not taken for sshd even where it should be")
	}
	if isSSHD(cmd.Process.Pid, "pid:[1]") {
		t.Error("one of another namespace is taken for sshd")
	}
}

func TestSSHDBelongsToRootEntirely(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tsshd\nUid:\t0\t0\t0\t0\nGid:\t0\n":              true,
		"Name:\tsshd\nUid:\t1000\t0\t0\t0\nGid:\t0\n":           false,
		"Name:\tsshd\nUid:\t1000\t1000\t1000\t1000\n":           false,
		"Name:\tUid:\t0\t0\t0\t0\nUid:\t1000\t1000\t1000\t1000": false, // the kernel writes a line feed of a name as \n
		"": false,
	} {
		if rootsOnly(status) != want {
			t.Errorf("%q: want %v", status, want)
		}
	}
}

func FuzzEstablished(f *testing.F) {
	f.Add("h\n   0: 0100007F:08AE 0700007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 12345 1 0\n")
	f.Add("h\n   0: 00000000000000000000000001000000:08AE 0000000000000000FFFF00000700007F:A1B2 01 0:0 0:0 0 0 0 77 1\n")
	f.Fuzz(func(t *testing.T, table string) {
		all := map[string]netip.Addr{}
		established(table, all)
		for inode, a := range all {
			if !a.IsValid() || a.Is4In6() || a.Zone() != "" || inode == "0" {
				t.Errorf("%q: %v", inode, a)
			}
		}
	})
}

func TestAncestorsAreThoseThatTheProcessHas(t *testing.T) {
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	defer end()
	child, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	chain := Ancestors(child)
	if len(chain) < 2 || chain[0] != child || chain[1].Pid != os.Getpid() {
		t.Fatalf("%+v", chain)
	}
	for i, p := range chain[1:] {
		if p.Pid != chain[i].Parent || p.Start > chain[i].Start {
			t.Errorf("%+v is not the parent of %+v", p, chain[i])
		}
	}
	orphan := child
	orphan.Parent = 1 << 30
	if chain := Ancestors(orphan); len(chain) != 0 {
		t.Errorf("a parent that is not the process's: %+v", chain)
	}
	end()
	if chain := Ancestors(child); len(chain) != 0 {
		t.Errorf("of a process that has ended: %+v", chain)
	}
	if chain := AncestorsOf(child); len(chain) < 2 || chain[1].Pid != os.Getpid() {
		t.Errorf("for the log: %+v", chain)
	}
}
