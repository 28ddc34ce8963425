package doctor

import (
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"strings"
)

// runcChangelog is that of Debian's package, which is new for each version.
const runcChangelog = "/usr/share/doc/runc/changelog.Debian.gz"

// maxChangelog is how much of it is read, in bytes.
const maxChangelog = 4 << 20

// mendedHere returns the names of holes (CVE-2024-21626) that a package's changelog has, which
// its version number need not show; none unless the package is of this version of the program.
func mendedHere(changelog, version string) []string {
	f, err := os.Open(changelog)
	if err != nil {
		return nil
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(unpacked, maxChangelog))
	text := string(b)
	// "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high", of version 1.1.5+ds1
	if !strings.HasPrefix(text, "runc ("+version+"-") {
		return nil
	}
	return regexp.MustCompile(`\bCVE-\d+-\d+`).FindAllString(text, -1)
}
