package look

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/programs"
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
	// "runc (1.1.5+ds1-1+deb12u1) bookworm-security; urgency=high", of version 1.1.5+ds1. In
	// Ubuntu the source is runc-app, and runc prints the package's version.
	_, packaged, _ := strings.Cut(text, " (")
	if version == "" || !strings.HasPrefix(packaged, version+"-") && !strings.HasPrefix(packaged, version+")") {
		return nil
	}
	return holesIn(text)
}

// holesIn returns the names of holes in a text.
func holesIn(text string) []string {
	return regexp.MustCompile(`\bCVE-\d+-\d+`).FindAllString(text, -1)
}

// mendedByRPM is mendedHere for a package of rpm(8), which is asked for its changelog.
func mendedByRPM(ctx context.Context, rpm, version string) []string {
	if _, err := os.Stat(rpm); err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, programs.Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, rpm, "-q", "--qf", `%{VERSION}\n[%{CHANGELOGTEXT}\n]`, "runc")
	cmd.Dir, cmd.Env, cmd.WaitDelay = "/", []string{}, time.Second
	out, _ := cmd.Output() // what it printed counts
	packaged, changes, _ := strings.Cut(string(out), "\n")
	if version == "" || packaged != version {
		return nil
	}
	return holesIn(changes)
}
