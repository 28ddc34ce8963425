package suggest

import (
	"strings"
	"testing"
)

func TestNearestWordIsFound(t *testing.T) {
	words := []string{"alice_dockersh", "alina_dockersh", "bob_dockersh", "classroom"}
	for word, want := range map[string]string{
		"alice_dockesh": "alice_dockersh", "bob_dokcersh": "bob_dockersh", "class": "classroom", "alice": "alice_dockersh",
		"": "", "x": "", "zebra": "", strings.Repeat("a", 100): "",
	} {
		if got := Of(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("imagname", "imagename")
	f.Fuzz(func(t *testing.T, a, b string) {
		if d := distance(a, b); d != distance(b, a) || (d == 0) != (a == b) && len(a) <= 64 && len(b) <= 64 {
			t.Errorf("%q %q: %d, %d", a, b, d, distance(b, a))
		}
	})
}
