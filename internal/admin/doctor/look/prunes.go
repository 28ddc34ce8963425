package look

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

// jobFiles are where cron(8), anacron(8) and systemd find what they run by the clock.
var jobFiles = []string{
	"/etc/crontab", "/etc/anacrontab", "/etc/cron.d/*",
	"/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*", "/etc/cron.monthly/*",
	"/var/spool/cron/*", "/var/spool/cron/crontabs/*", "/etc/systemd/system/*.service", "/etc/systemd/system/*.service.d/*.conf",
}

// lookForPrunes returns the lines of jobs that remove stopped containers, those of users
// among them.
func lookForPrunes() (all []facts.Location) {
	for _, pattern := range jobFiles {
		files, _ := filepath.Glob(pattern) // fails only on a bad pattern
		for _, name := range files {
			all = append(all, findPrunes(name, contents(name))...)
		}
	}
	return all
}

func findPrunes(name, text string) (out []facts.Location) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") && prunes(line) {
			out = append(out, facts.Location{File: name, Line: n, Text: line})
		}
	}
	return out
}

// prunes reports whether a command line removes stopped containers without a filter
// that spares those of dockersh.
func prunes(line string) bool {
	words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t;|&()'\"$`", r) })
	engine := slices.ContainsFunc(words, func(w string) bool { return slices.Contains([]string{"docker", "podman"}, filepath.Base(w)) })
	kind := slices.Contains(words, "system") || slices.Contains(words, "container")
	return engine && kind && slices.Contains(words, "prune") && !strings.Contains(line, "label!=dockersh.uid")
}
