package pattern

import "testing"

func TestPatternsMatchAsInSSHDConfig(t *testing.T) {
	for _, c := range []struct {
		p, s string
		want bool
	}{
		{"*", "", true}, {"LC_*", "LC_ALL", true}, {"LC_*", "LC", false}, {"?", "", false}, {"a?c", "abc", true}, {"a*c", "abcbc", true},
		{"a*c", "abcb", false}, {"**", "x", true}, {"", "", true}, {"", "x", false}, {"*x*y*", "axbyc", true}, {"*x*y*", "aybxc", false},
		{"*", "*", true}, {"a*", "b*", false}, {"a**b?", "axxbc", true},
	} {
		if Match(c.p, c.s) != c.want {
			t.Errorf("Match(%q, %q) is not %v", c.p, c.s, c.want)
		}
	}
}

func TestAnyOfThePatternsSuffices(t *testing.T) {
	if MatchAny(nil, "x") || MatchAny([]string{"a", "LC_*"}, "LANG") || !MatchAny([]string{"a", "LC_*"}, "LC_ALL") {
		t.Error("wrong")
	}
}

func FuzzMatchAgreesWithThePlainDefinition(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*a*a*a*a*a*a", "aaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern)*len(s) > 1<<10 {
			return
		}
		// may[j] reports whether the pattern so far matches s[:j].
		may := make([]bool, len(s)+1)
		may[0] = true
		for _, p := range []byte(pattern) {
			next := make([]bool, len(s)+1)
			for j := range next {
				if p == '*' {
					next[j] = may[j] || j > 0 && next[j-1]
				} else if j > 0 {
					next[j] = may[j-1] && (p == '?' || p == s[j-1])
				}
			}
			may = next
		}
		if got := Match(pattern, s); got != may[len(s)] {
			t.Errorf("Match(%q, %q) is %v", pattern, s, got)
		}
	})
}
