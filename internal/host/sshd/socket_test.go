package sshd

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// A process that holds a file, a listening socket and a connection, in this order.
func TestKernelReturnsTheFarEndOfAnotherProcess(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Log(err) // a host without IPv6
			continue
		}
		defer l.Close()
		near, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer near.Close()
		there, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer there.Close()
		var files []*os.File
		for _, s := range []interface{ File() (*os.File, error) }{l.(*net.TCPListener), there.(*net.TCPConn)} {
			f, err := s.File()
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			files = append(files, f)
		}
		cmd := exec.Command("cat")
		cmd.ExtraFiles = files
		in, err := cmd.StdinPipe()
		if err != nil || cmd.Start() != nil {
			t.Fatal(err)
		}
		addr, err := ask(cmd.Process.Pid, []int{0, 1, 3, 4})
		if none, err := ask(cmd.Process.Pid, []int{0, 1, 3}); err == nil {
			t.Errorf("what listens has the far end %v", none)
		}
		_ = in.Close()
		_ = cmd.Wait()
		if err != nil && os.Geteuid() != 0 {
			t.Skip(err)
		}
		want, _, _ := net.SplitHostPort(near.LocalAddr().String())
		if err != nil || addr.String() != want {
			t.Errorf("got %v %v, want %s", addr, err, want)
		}
	}
}
