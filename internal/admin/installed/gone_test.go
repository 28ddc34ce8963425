package installed

import (
	"maps"
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func TestContainersOfUsersThatAreGoneAreFound(t *testing.T) {
	const unknown = "no-such-user"
	db := account.New(0)
	_, certain, err := db.Known(t.Context(), []string{unknown})
	if err != nil {
		t.Fatal(err)
	}
	var all []*engine.Container
	add := func(name, user string, owner policy.Owner) {
		labels := maps.Clone(owner.Labels())
		labels[engine.LabelUser] = user
		all = append(all, &engine.Container{Name: name, Labels: labels})
	}
	add("known", "root", policy.Owner{UID: 0, Identity: "u=root"})
	add("another uid", "root", policy.Owner{UID: 7, Identity: "u=root"})
	add("unknown", unknown, policy.Owner{UID: 7, Identity: "u=" + unknown})
	add("shared", unknown, policy.Owner{UID: 7})
	add("probe", unknown, policy.Owner{UID: 7, Identity: policy.Probe})
	all = append(all, &engine.Container{Name: "by hand", Labels: map[string]string{engine.LabelUser: unknown}})
	gone, err := Gone(t.Context(), db, all)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range gone {
		names = append(names, c.Name)
	}
	want := []string{"another uid"}
	if certain { // no name service of this host is down
		want = append(want, "unknown")
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q are gone, want %q", names, want)
	}
}
