package manifest

import (
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

// A cluster replaces $(NAME) in them, and two dollars by one.
func TestWordsOfAPodStayAsTheyAre(t *testing.T) {
	p, err := Pod(engine.Spec{Name: "x", Image: "busybox", Entrypoint: "/$x", Cmd: []string{"-c", "echo $$ $(HOME)"}, Env: []string{"A=$(B)"}})
	if err != nil {
		t.Fatal(err)
	}
	main := p.Spec.Containers[0]
	if want := []string{"-c", "echo $$$$ $$(HOME)"}; !slices.Equal(main.Args, want) {
		t.Errorf("%q", main.Args)
	}
	if got := main.Command[len(main.Command)-1]; got != "/$$x" || main.Env[0].Value != "$$(B)" {
		t.Errorf("%q %+v", got, main.Env)
	}
}

// With fsGroup each directory that a user makes has the set-group-ID bit.
func TestOnlyTheVolumeOfAClaimIsHandedToAGroup(t *testing.T) {
	for claim, handed := range map[string]bool{"": false, "home-alice": true} {
		p, err := Pod(engine.Spec{Name: "x", Image: "busybox", Entrypoint: "/x", GID: 7, Home: engine.Home{Path: "/home/alice", Claim: claim, Size: "1Gi"}})
		if err != nil {
			t.Fatal(err)
		}
		if group := p.Spec.SecurityContext.FSGroup; (group != nil && *group == 7) != handed {
			t.Errorf("claim %q: %v", claim, group)
		}
	}
}
