//go:build e2e

package faults

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// What a test leaves in a directory that everybody may write to, such as a FIFO with the
// name of a user's runtime directory, must not reach the programs of the host.
func TestRunSharesNoScratchDirectoryWithTheHost(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	apart := os.Getenv("APART")
	for dir, own := range map[string]string{"/tmp": apart + "/tmp", "/var/tmp": apart + "/var/tmp"} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.Stat(own)
		if err != nil || !os.SameFile(info, want) {
			t.Errorf("%s is the host's: it is not %s (%v)", dir, own, err)
		}
		if info.Mode() != os.ModeDir|os.ModeSticky|0o777 {
			t.Errorf("%s has the mode %v", dir, info.Mode())
		}
	}
}
