package look

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func writeChangelog(t *testing.T, text string) (path string) {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	path = filepath.Join(t.TempDir(), "changelog.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHolesThatTheDistributionClosedAreReadInItsChangelog(t *testing.T) {
	text := "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high\n\n  * CVE-2024-21626: several container breakouts\n\n" +
		"runc (1.1.5+ds1-1) unstable; urgency=medium\n\n    + CVE-2023-27561: (re-introduced CVE-2019-19921)\n"
	path := writeChangelog(t, text)
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

func TestHolesThatUbuntuClosedAreFound(t *testing.T) {
	path := writeChangelog(t, "runc-app (1.2.5-0ubuntu1~24.04.1) noble; urgency=medium\n\n  * CVE-2025-31133\n")
	for _, version := range []string{"1.2.5-0ubuntu1~24.04.1", "1.2.5"} {
		if got := mendedHere(path, version); !slices.Equal(got, []string{"CVE-2025-31133"}) {
			t.Errorf("%s: %q", version, got)
		}
	}
}

func TestHolesThatAnRPMPackageClosedAreFound(t *testing.T) {
	rpm := filepath.Join(t.TempDir(), "rpm")
	script := "#!/bin/sh\necho 1.1.12\necho '- fix CVE-2025-31133'\necho '- resolves: CVE-2025-52565, CVE-2025-52881'\n"
	if err := os.WriteFile(rpm, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := mendedByRPM(t.Context(), rpm, "1.1.12"); !slices.Equal(got, []string{"CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"}) {
		t.Errorf("%q", got)
	}
	for _, other := range []string{"1.1.13", "1.1", ""} {
		if got := mendedByRPM(t.Context(), rpm, other); got != nil {
			t.Errorf("%s: %q", other, got)
		}
	}
	if got := mendedByRPM(t.Context(), rpm+".none", "1.1.12"); got != nil {
		t.Errorf("no rpm: %q", got)
	}
}
