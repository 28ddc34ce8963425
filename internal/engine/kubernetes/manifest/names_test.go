package manifest

import (
	"regexp"
	"testing"
)

func TestPodNamesAreValidAndApart(t *testing.T) {
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	seen := map[string]string{}
	for _, name := range []string{"alice_dockersh", "alice-dockersh", "alice.dockersh", "Alice_dockersh", "a@b", "a_b", "DOM\\a", "", "_", "-", "...",
		"u1000_.x", "ünï", "x\x00y", "a", "A", string(make([]byte, 500)), "alice_dockersh_with_a_name_that_is_longer_than_fits", "alice_dockersh_with_a_name_that_is_longer_than_fitz"} {
		pod := PodName(name)
		if len(pod) > 63 || !valid.MatchString(pod) {
			t.Errorf("%q: %q is not the name of a pod", name, pod)
		}
		if other, ok := seen[pod]; ok {
			t.Errorf("%q and %q share %s", name, other, pod)
		}
		seen[pod] = name
	}
}

func FuzzPodName(f *testing.F) {
	f.Add("alice_dockersh", "alice-dockersh")
	f.Fuzz(func(t *testing.T, a, b string) {
		if p := PodName(a); len(p) > 63 || p[0] == '-' || (a == b) != (p == PodName(b)) {
			t.Errorf("%q %q: %s %s", a, b, p, PodName(b))
		}
	})
}

func TestClaimsKeepNamesThatAreValid(t *testing.T) {
	hashed := PodName("home-alice")
	for name, want := range map[string]string{"home-alice": "home-alice", "home-a.b": PodName("home-a.b"), hashed: PodName(hashed), "": PodName("")} {
		if got := ClaimName(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
