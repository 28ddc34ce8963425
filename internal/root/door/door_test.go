package door

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// What else must hold is for the tests of package trustedpath to say.
func TestOnlyAProgramOfRootIsStartedAsTheBroker(t *testing.T) {
	if err := CheckProgram("/bin/sh"); err != nil {
		t.Errorf("a program of root: %v", err)
	}
	other := filepath.Join(t.TempDir(), "dockershd")
	if err := os.WriteFile(other, nil, 0o757); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		path string
		code usererr.Code
	}{
		"one that others can write": {other, usererr.Internal}, "a directory": {t.TempDir(), usererr.Internal}, "nothing": {other + "-not", usererr.Unavailable},
	} {
		var told *usererr.Error
		if err := CheckProgram(c.path); !errors.As(err, &told) || told.Code != c.code {
			t.Errorf("%s: %v", what, err)
		}
	}
}
