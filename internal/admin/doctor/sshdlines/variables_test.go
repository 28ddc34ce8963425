package sshdlines

import "testing"

func TestPatternsOfVariablesThatAreUnsafe(t *testing.T) {
	for p, bad := range map[string]bool{
		"LANG": false, "LC_*": false, "COLORTERM": false, "GIT_*": false, "*": true, "LD_*": true, "L*D": true, "SSH_*": true, "ENV": true, "E?V": true, "": false, "PATHS": false,
	} {
		if got := len(UnsafePatterns([]string{p})) > 0; got != bad {
			t.Errorf("%q: %v", p, got)
		}
	}
}
