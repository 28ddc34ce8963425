//go:build e2e

package admin

import (
	"net"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// serveNames answers every question for an address with the server's own.
func serveNames(t *testing.T, address string) {
	t.Helper()
	e2e.OnHost(t, "ip", "addr", "add", address+"/32", "dev", "lo")
	t.Cleanup(func() { e2e.OnHost(t, "ip", "addr", "del", address+"/32", "dev", "lo") })
	server, err := net.ListenPacket("udp4", address+":53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 17 {
				continue
			}
			question := buf[12:n]
			end := strings.IndexByte(string(question), 0) + 5 // the name, its type and class
			if end < 5 || end > len(question) {
				continue
			}
			isA := question[end-3] == 1
			answer := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[:end]...)
			if isA {
				answer[7] = 1
				answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4), net.ParseIP(address).To4()...)
			}
			_, _ = server.WriteTo(answer, from)
		}
	}()
}

// docs/course.md says so: a laptop is in another network.
func TestRestartedContainersAskTheHostsNameServersOfNow(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.RestoreFile(t, "/etc/resolv.conf")
	u := e2e.NewUser(t)
	ask := func(want string) {
		t.Helper()
		out := e2e.SSH(t, u, "nslookup -type=a seat.example | tail -n +3; echo kept >>~/f")
		if !strings.Contains(out.Stdout, want) {
			t.Errorf("want an answer of %s, got %+v", want, out)
		}
	}
	for _, address := range []string{"198.51.100.1", "198.51.100.2"} {
		serveNames(t, address)
	}
	e2e.WriteFile(t, "/etc/resolv.conf", "nameserver 198.51.100.1\n")
	ask("198.51.100.1")
	e2e.WriteFile(t, "/etc/resolv.conf", "nameserver 198.51.100.2\n")
	ask("198.51.100.1") // the engines' own limit: a running container goes on with the old ones
	if out, errs, status := e2e.Ctl(t, "restart", u.Name+"_dockersh"); status != 0 {
		t.Fatalf("%d: %q %q", status, out, errs)
	}
	ask("198.51.100.2")
	e2e.SSH(t, u, "wc -l <~/f").Want(t, "3\n", "", 0)
}
