package kubernetes

import (
	"regexp"
	"testing"
)

func TestPodNamesAreValidAndApart(t *testing.T) {
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	seen := map[string]string{}
	for _, name := range []string{"alice_dockersh", "alice-dockersh", "alice.dockersh", "Alice_dockersh", "a@b", "a_b", "DOM\\a", "", "_", "-", "...",
		"u1000_.x", "ünï", "x\x00y", "a", "A", string(make([]byte, 500)), "alice_dockersh_with_a_name_that_is_longer_than_fits", "alice_dockersh_with_a_name_that_is_longer_than_fitz"} {
		pod := podName(name)
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
		if p := podName(a); len(p) > 63 || p[0] == '-' || (a == b) != (p == podName(b)) {
			t.Errorf("%q %q: %s %s", a, b, p, podName(b))
		}
	})
}

func TestClaimsKeepNamesThatAreValid(t *testing.T) {
	hashed := podName("home-alice")
	for name, want := range map[string]string{"home-alice": "home-alice", "home-a.b": podName("home-a.b"), hashed: podName(hashed), "": podName("")} {
		if got := claimName(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
