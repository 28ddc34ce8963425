package policy

import (
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

func TestSessionHasTheGroupsOfItsLogin(t *testing.T) {
	for file, own := range map[string]bool{
		"":                                      true,
		"containername = classroom\n":           false, // everybody in it would have them
		"containerusername = nobody\n":          false, // whose groups are the image's
		"entrypoint = /sbin/init\n":             false, // no agent is process 1
		"dockersocket = ssh://user@host\n":      false, // an exec for each session
		"dockeropt = --read-only\n":             false, // nothing can be written inside
		"containername = x-%U\nmemory = 64m\n":  true,
		"containername = %u-%x\nephemeral\n":    true,
		"containerusername = root\nmemory = 1g": false,
	} {
		var agents []string
		for _, r := range []Request{{Groups: []uint32{7, 9}}, {Groups: []uint32{7}}, {Groups: []uint32{}}} {
			p, err := decide(t, alice, "[dockersh]\n"+file, "", r)
			if err != nil {
				t.Fatal(err)
			}
			known := []account.Group{{Name: "alice", GID: 1001}, {Name: "seven", GID: 7}, {Name: "left", GID: 8}}
			who, err := p.ContainerUser(known, Image{Users: []account.User{{Name: "nobody", UID: 65534}}},
				func(string) (account.User, error) { return account.User{Name: "root"}, nil })
			if err != nil {
				t.Fatal(err)
			}
			has := account.Supplementary(who.Groups, who.GID)
			if own && !slices.Equal(has, r.Groups) || own && len(p.Spec(who, "", HostPaths{}).Groups) > 0 {
				t.Errorf("%q: %v with %v", file, has, r.Groups)
			}
			if (p.Groups != nil) != own || (p.AgentKey() == p.Agent) == own {
				t.Errorf("%q: groups %v, agent %s", file, p.Groups, p.AgentKey())
			}
			agents = append(agents, p.AgentKey())
		}
		slices.Sort(agents)
		if n := len(slices.Compact(agents)); own && n != 3 || !own && n != 1 {
			t.Errorf("%q: %d agents for three sets of groups", file, n)
		}
	}
	p, err := decide(t, alice, "[dockersh]\n", "", Request{}) // a broker without root's rights
	if err != nil || p.Groups != nil || p.AgentKey() != "self-1001" {
		t.Errorf("%+v %v", p, err)
	}
	first := Plan{User: alice, Agent: "self-1001", Groups: []uint32{7}}
	other := first
	other.User.GID = 5
	if first.AgentKey() == other.AgentKey() {
		t.Error("another primary group is another agent")
	}
}

// A user with subordinate groups chooses how many a login has.
func TestLoginWithThousandsOfGroupsIsRefusedWhereTheyCount(t *testing.T) {
	for file, most := range map[string]int{"": maxLoginGroups, "containername = classroom\n": 65536, "hostshell = /bin/sh\n": 65536} {
		for _, n := range []int{maxLoginGroups, maxLoginGroups + 1, 65536} {
			_, err := decide(t, alice, "[dockersh]\n"+file, "", Request{Groups: make([]uint32, n)})
			if (err == nil) != (n <= most) || err != nil && code(err) != usererr.Denied {
				t.Errorf("%q, %d groups: %v", file, n, err)
			}
		}
	}
}

func TestLimitsThatChangeInAContainer(t *testing.T) {
	has := engine.Limits{Memory: 1 << 30, CPUs: 1e9, Pids: 1024}
	for file, want := range map[string]struct {
		change engine.Limits
		stays  bool
	}{
		"memory = 1g\ncpus = 1\n":                        {},
		"memory = 1024m\ncpus = 1.0\npidslimit = 1024\n": {},
		"memory = 2g\ncpus = 0.25\npidslimit = 0\n":      {change: engine.Limits{Memory: 2 << 30, CPUs: 25e7, Pids: engine.NoPidsLimit}},
		"cpus = 1\n":                    {stays: true},
		"cpus = 1\ndockeropt = -m 1g\n": {},
		"memory = 1g\n":                 {stays: true},
		"memory = 1g\ndockeropt = --cpus=1\npidslimit = 2000\n": {change: engine.Limits{Pids: 2000}},
	} {
		p := plan(t, alice, "[dockersh]\n"+file, "")
		if change, stays := LimitsToSet(p.Settings, has); change != want.change || stays != want.stays {
			t.Errorf("%q: %+v %v", file, change, stays)
		}
	}
}
