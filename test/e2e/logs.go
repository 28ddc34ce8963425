package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shownLines is how many lines of the broker's log a failed test shows at most.
const shownLines = 10

// showComplaints shows, if t fails, the last warnings and errors that the broker
// logged in the test. What users see is no more than where to read.
func showComplaints(t testing.TB) {
	before := len(Broker.Log())
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		log := Broker.Log()
		if len(log) < before { // another world
			before = 0
		}
		var lines []string
		for line := range strings.Lines(log[before:]) {
			if !strings.HasPrefix(line, "level=INFO") {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		for _, line := range lines[max(0, len(lines)-shownLines):] {
			t.Log("dockershd: ", line)
		}
	})
}

// saveLogs copies the logs of the daemons of a failed run to build/e2e/logs.
func saveLogs() {
	dir := filepath.Join(os.Getenv("REPO"), "build/e2e/logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return
	}
	logs, _ := filepath.Glob(Scratch + "/*.log")
	for _, log := range append(logs, os.Getenv("APART")+"/dockerd.log") {
		if data, err := os.ReadFile(log); err == nil {
			_ = os.WriteFile(filepath.Join(dir, filepath.Base(log)), data, 0o644)
		}
	}
	fmt.Fprintln(os.Stderr, "e2e: the daemons' logs are in", dir)
}
