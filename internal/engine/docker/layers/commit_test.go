package layers

import (
	"slices"
	"strings"
	"testing"
)

// A user may have chosen the image.
func TestImageAddsNoInstructionToACommit(t *testing.T) {
	for _, bad := range []string{"0\nVOLUME [\"/home/alice/x\"]", "0\rLABEL a=b", "a b", "a\tb", `"a`, "'a", `a\`, "a`", "$HOME", "a=b", "a\u2028b"} {
		if changes, err := undoOurs(nil, nil, bad, nil); err == nil {
			t.Errorf("the user %q: %q", bad, changes)
		}
		if changes, err := undoOurs(nil, nil, "0", map[string]string{"dockersh." + bad: ""}); err == nil {
			t.Errorf("the label %q: %q", bad, changes)
		}
	}
	labels := map[string]string{"dockersh.b": "2", "dockersh.a": "x\ny", "other\nVOLUME /x": ""}
	changes, err := undoOurs([]string{"/a\nVOLUME /x"}, nil, "", labels)
	want := []string{`ENTRYPOINT ["/a\nVOLUME /x"]`, "CMD []", "USER 0", `LABEL dockersh.a=""`, `LABEL dockersh.b=""`}
	if err != nil || !slices.Equal(changes, want) {
		t.Errorf("%q %v", changes, err)
	}
	for _, user := range []string{"1000", "1000:100", "www-data:adm", "_apt", "müller@example.org"} {
		changes, err := undoOurs(nil, nil, user, nil)
		if err != nil || !strings.HasSuffix(strings.Join(changes, ";"), "USER "+user) {
			t.Errorf("%s: %q %v", user, changes, err)
		}
	}
}
