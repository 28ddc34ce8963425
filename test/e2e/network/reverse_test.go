//go:build e2e

package network

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// served is the port of a container at which a service of the host is.
const served = "8080"

// ask connects to it, in a session.
const ask = "nc 127.0.0.1 " + served + " </dev/null"

// carriers returns the processes that carry a port of the host.
func carriers(port string) []int {
	return e2e.PidsOf(func(_ int, args string) bool { return args == e2e.Bridge+" --reverse-forward "+port+":"+served })
}

// onlyCarrier returns the one process that carries a port of the host.
func onlyCarrier(t *testing.T, port string) int {
	t.Helper()
	pids := carriers(port)
	if len(pids) != 1 {
		t.Fatalf("carriers %v", pids)
	}
	return pids[0]
}

func gone(t *testing.T, port string) {
	t.Helper()
	e2e.Eventually(t, "nothing is carried", func() bool { return len(carriers(port)) == 0 })
}

func TestReverseForwardLivesAsLongAsTheContainer(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "it takes a broker that is root")
	port := hostListens(t, "host")
	u := e2e.NewUser(t, "reverseforward = "+port+":"+served)
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	pid := onlyCarrier(t, port)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)

	c := e2e.LiveSession(t, u)
	next := e2e.KillBroker(t, u)
	if e2e.Door == "service" {
		if got := c.Run(ask); !strings.Contains(got, "host") {
			t.Errorf("without a broker: %q", got)
		}
	}
	next()
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	if now := onlyCarrier(t, port); now != pid {
		t.Errorf("another broker started another carrier: %d, was %d", now, pid)
	}

	e2e.MustCtl(t, "restart", u.Name+"_dockersh")
	gone(t, port)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	if now := onlyCarrier(t, port); now == pid {
		t.Error("the carrier outlived its container")
	}
	e2e.OnHost(t, "docker", "restart", "-t", "1", u.Container(t)) // by hand
	gone(t, port)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	e2e.MustCtl(t, "reset", "--yes", u.Name+"_dockersh")
	gone(t, port)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
}

func TestCarrierThatIsKilledComesBackWithTheNextLogin(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "it takes a broker that is root")
	port := hostListens(t, "host")
	u := e2e.NewUser(t, "reverseforward = "+port+":"+served)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	_ = syscall.Kill(onlyCarrier(t, port), syscall.SIGKILL)
	gone(t, port)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
}

// The broker starts the carrier after all that the engine does, in steps too short to stop
// between.
func TestBrokerKilledAtAnyTimeLeavesOneCarrier(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "other doors have no broker to start again")
	port := hostListens(t, "host")
	u := e2e.NewUser(t, "reverseforward = "+port+":"+served)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	for i := range 25 {
		_ = syscall.Kill(onlyCarrier(t, port), syscall.SIGKILL)
		gone(t, port)
		entries := func() []string { all, _ := filepath.Glob(u.StateDir() + "/s/*." + u.Name + "_*"); return all }
		before := entries() // brokers that were killed left some
		isNew := func(entry string) bool { return !slices.Contains(before, entry) }
		done := make(chan struct{})
		go func() { defer close(done); _, _ = e2e.TrySSH(u, nil, ask) }()
		// From when the broker writes the session's entry.
		for end := time.Now().Add(e2e.Limit); !slices.ContainsFunc(entries(), isNew) && time.Now().Before(end); {
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(time.Duration(i) * 200 * time.Microsecond)
		back := e2e.Broker.Away(t, syscall.SIGKILL)
		back()
		<-done
		e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	}
	onlyCarrier(t, port)
}

func TestReverseForwardReachesNothingElseOfTheHost(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "it takes a broker that is root")
	port, other := hostListens(t, "host"), hostListens(t, "other")
	u, neighbour := e2e.NewUser(t, "reverseforward = "+port+":"+served), e2e.NewUser(t)
	e2e.SSH(t, u, ask+"; nc 127.0.0.1 "+other+" </dev/null; nc 127.0.0.1 "+port+" </dev/null").Want(t, "host\n",
		strings.Repeat("nc: can't connect to remote host (127.0.0.1): Connection refused\n", 2), 1)
	e2e.SSH(t, neighbour, ask).Want(t, "", "nc: can't connect to remote host (127.0.0.1): Connection refused\n", 1)
	// And from other addresses of its network, the service is not there.
	at := e2e.Inspect(t, u.Container(t), "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
	e2e.SSH(t, u, "nc "+at+" "+served+" </dev/null").Want(t, "",
		"nc: can't connect to remote host ("+at+"): Connection refused\n", 1)
}

func TestPortThatIsTakenInTheContainerCostsALine(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "it takes a broker that is root")
	port := hostListens(t, "host")
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	pid := process1(t, u)
	u.Configure(t, "reverseforward = "+port+":"+served, "reverseforward = "+port+":8081")
	containerListens(t, pid, "8081", "theirs")
	e2e.SSH(t, u, ask+"; nc 127.0.0.1 8081 </dev/null").Want(t, "host\ntheirs\n", "", 0)
	c := e2e.SSHConsole(t, u)
	c.Expect("dockersh: reverseforward " + port + ":8081 is off: the container was started without it " +
		`\(ask the administrator to run: dockershctl restart ` + u.Name + `_dockersh\)`)
	c.FirstPrompt()
	c.Line("exit")
	c.Wait()
	if e2e.Door == "service" {
		e2e.Eventually(t, "the log says so", func() bool {
			log := e2e.Broker.Log()
			return strings.Contains(log, "reverse forward is off") && strings.Contains(log, port+":8081")
		})
	}
}

func TestReverseForwardThatCannotBeCostsALine(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	reason := "the container is in the network of the host"
	if e2e.Door == "direct" {
		reason = "dockershd does not run as root"
	}
	u := e2e.NewUser(t, "reverseforward = 1:1", "dockeropt = --network=host")
	c := e2e.SSHConsole(t, u)
	c.Expect("dockersh: reverseforward 1:1 is off: " + reason)
	c.FirstPrompt()
	c.Line("exit")
	c.Wait()
	u.Configure(t, "reverseforward = 1:1", "network = host")
	e2e.SSH(t, u, "true").Refused(t, "needs a network of the container's own", e2e.Settings+":")
}

func TestUserForwardsOnlyWhatTheGateOpens(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "it takes a broker that is root")
	port := hostListens(t, "host")
	u := e2e.NewUser(t, "enableuserconfig")
	u.WriteFile(t, ".dockersh", "[dockersh]\nreverseforward = "+port+":"+served+"\n", 0o644)
	e2e.SSH(t, u, ask).Ignored(t, "reverseforward", ".dockersh:2")
	gone(t, port)
	u.Configure(t, "enableuserconfig", "enableuserreverseforward")
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	shared := e2e.NewUser(t, "enableuserconfig", "enableuserreverseforward", "containername = reverse-shared")
	shared.WriteFile(t, ".dockersh", "[dockersh]\nreverseforward = 1:1\n", 0o644)
	e2e.SSH(t, shared, "true").Ignored(t, "reverseforward", "decide for others")
}

func TestReverseForwardIsShownByExplainAndCheck(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "reverseforward = 5432:5432")
	if out := e2e.MustCtl(t, "explain", u.Name); !strings.Contains(out, "5432:5432") {
		t.Errorf("explain: %s", out)
	}
	file := t.TempDir() + "/rc"
	e2e.WriteFile(t, file, "[dockersh]\nreverseforward = 5432:5432\nreverseforward = 5433:5432\n")
	if out, errs, status := e2e.Ctl(t, "check", file); status == 0 || !strings.Contains(out+errs, "port 5432 of the container stands in two lines") {
		t.Errorf("check: %d %s%s", status, out, errs)
	}
}

// What the process may, whatever the engine is.
func TestCarrierHasNoRights(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "it takes a broker that is root")
	port := hostListens(t, "host")
	u := e2e.NewUser(t, "reverseforward = "+port+":"+served)
	e2e.SSH(t, u, ask).Want(t, "host\n", "", 0)
	dir := fmt.Sprintf("/proc/%d/", onlyCarrier(t, port))
	status, _ := os.ReadFile(dir + "status")
	lines := strings.Split(string(status), "\n")
	for _, line := range []string{"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t ", "NoNewPrivs:\t1",
		"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000"} {
		if !slices.Contains(lines, line) {
			t.Errorf("no line %q in\n%s", line, status)
		}
	}
	fds, _ := os.ReadDir(dir + "fd")
	for _, fd := range fds {
		to, err := os.Readlink(dir + "fd/" + fd.Name())
		if err == nil && !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "anon_inode:") && !strings.HasPrefix(to, "pipe:") &&
			to != "/dev/null" && to != e2e.RunDir+"/c/"+u.Name+"_dockersh/reverse" {
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
	if tty := e2e.ProcStat(dir + "stat")[4]; tty != "0" {
		t.Errorf("terminal %s", tty)
	}
}
