package doctor

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHolesThatTheDistributionClosedAreReadInItsChangelog(t *testing.T) {
	text := "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high\n\n  * CVE-2024-21626: several container breakouts\n\n" +
		"runc (1.1.5+ds1-1) unstable; urgency=medium\n\n    + CVE-2023-27561: (re-introduced CVE-2019-19921)\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	path := filepath.Join(t.TempDir(), "changelog.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := mendedHere(path, "1.1.5+ds1"); !slices.Equal(got, []string{"CVE-2024-21626", "CVE-2023-27561", "CVE-2019-19921"}) {
		t.Errorf("%q", got)
	}
	// A runc from elsewhere, which the package says nothing of.
	for _, version := range []string{"1.1.5", "1.1.4", "1.3.0", ""} {
		if got := mendedHere(path, version); got != nil {
			t.Errorf("%s: %q", version, got)
		}
	}
	if got := mendedHere(path+".none", "1.1.5+ds1"); got != nil {
		t.Errorf("no changelog: %q", got)
	}
}
