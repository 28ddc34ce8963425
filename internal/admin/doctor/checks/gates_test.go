package checks

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/config"
)

// The table, the page and the settings have the same gates, in the same words.
func TestEachGateHasItsWorst(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/hardening.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(string(page), "| setting | the worst that a hostile user can do |\n|---|---|\n")
	rows, _, _ = strings.Cut(rows, "\n\n")
	var want []string
	var keys []string
	for _, g := range gates {
		keys = append(keys, g.key)
		want = append(want, "| `"+g.key+"` | "+g.worst+" |")
	}
	if !slices.Equal(keys, config.Gates()) {
		t.Errorf("the table has %q, and the settings %q", keys, config.Gates())
	}
	if got := strings.Join(want, "\n"); got != rows {
		t.Errorf("docs/hardening.md has\n%s\nwant\n%s", rows, got)
	}
}

func TestEachGateThatLeadsOutIsAFinding(t *testing.T) {
	for _, g := range gates {
		h := good(t)
		settle(t, h.Users[0], "[dockersh]\ndockeropt = --storage-opt size=10G\nenableuserconfig\nenableuser"+g.key+"\n")
		found := Judge(h)
		want := map[reach]string{outside: "open-gates", host: "host-given-away"}[g.reach]
		if g.key == "containerusername" {
			found = slices.DeleteFunc(found, func(f Finding) bool { return f.ID == "user-namespaces" })
		}
		switch {
		case want == "" && len(found) == 0:
		case len(found) != 1 || found[0].ID != want || (found[0].Severity == Error) != (g.reach == host) || !strings.Contains(found[0].Text, g.worst):
			t.Errorf("%s: %+v", g.key, found)
		}
	}
}

func TestGatesThatLeadToTheHostTogetherAreFound(t *testing.T) {
	for lines, want := range map[string]bool{
		"enableusercontainerusername\nmounthome\nmounthomefrom = /srv/homes/%u": true,
		"enableusercontainerusername\nenableusermounthome":                      true,
		"enableusercontainerusername\nenableusermounttmp":                       true,
		"enableusercontainerusername\nvolume = /srv/data:/data":                 true,
		"enableusercontainerusername\nvolume = /srv/data:/data:ro":              false,
		"enableusercontainerusername":                                           false,
		"containerusername = root\nenableusermounthome":                         true,
		"containerusername = 0:0\nenableusermounttmp":                           true,
		"enableusermounthome\nenableusermounttmp":                               false,
	} {
		h := good(t)
		settle(t, h.Users[0], "[dockersh]\nenableuserconfig\n"+lines)
		if got := slices.ContainsFunc(Judge(h), func(f Finding) bool { return f.ID == "host-given-away" }); got != want {
			t.Errorf("%q: %v", lines, got)
		}
	}
}
