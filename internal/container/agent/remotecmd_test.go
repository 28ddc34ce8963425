package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCommandRunsWhatTheContainerHasForIt(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "sftp-server")
	for name, mode := range map[string]os.FileMode{"sftp-server": 0o755, "scp": 0o755, "plain": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=/nonexistent:" + dir}
	for _, c := range []struct{ argv, want []string }{
		{[]string{"sh", "-c", own + " -R"}, []string{"sh", "-c", own + " -R"}},
		{[]string{"sh", "-c", "/nonexistent/scp -t x"}, []string{"sh", "-c", "scp -t x"}},
		{[]string{"sh", "-c", "scp -t x"}, []string{"sh", "-c", "scp -t x"}},
		{[]string{"sh", "-c", "/nonexistent/scp x y"}, []string{"sh", "-c", "/nonexistent/scp x y"}},
		{[]string{"-sh"}, []string{"-sh"}},
		{[]string{"sh", "-c", "/nonexistent/scp -t x", "more"}, []string{"sh", "-c", "/nonexistent/scp -t x", "more"}},
		{[]string{"sh", "script", "/nonexistent/scp -t x"}, []string{"sh", "script", "/nonexistent/scp -t x"}},
	} {
		if got := withRemoteCommand(c.argv, env); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, want %q", c.argv, got, c.want)
		}
	}
	for path, want := range map[string]bool{own: true, filepath.Join(dir, "plain"): false, dir: false, filepath.Join(dir, "none"): false} {
		if isProgram(path) != want {
			t.Errorf("%s is a program: %v", path, !want)
		}
	}
}
