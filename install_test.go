package dockersh

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The module is served from a directory, as a proxy would serve it, and installed
// as anybody would. What it needs of other modules is in the module cache. The two
// smallest programs stand for all: they are built in seconds.
func TestProgramsInstalledByVersionKnowIt(t *testing.T) {
	const release = "v0.0.1-test"
	proxy, bin := t.TempDir(), t.TempDir()
	serve(t, filepath.Join(proxy, module, "@v"), release)
	cache := strings.TrimSpace(goCommand(t, nil, "env", "GOMODCACHE"))
	env := []string{
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(cache, "cache", "download"), "GOMODCACHE=" + t.TempDir(),
		"GOBIN=" + bin, "GONOSUMDB=*", "GOFLAGS=-modcacherw -trimpath", "CGO_ENABLED=0",
		"GOARCH=", // GOBIN is for programs of this host only
	}
	for _, name := range []string{"dockersh-files", "dockersh-init"} {
		goCommand(t, env, "install", module+"/cmd/"+name+"@"+release)
		out, err := exec.Command(filepath.Join(bin, name), "--version").CombinedOutput()
		if want := name + " " + release + "\n"; err != nil || string(out) != want {
			t.Errorf("%s --version: %q, %v, want %q", name, out, err, want)
		}
	}
}

// serve writes the module to a directory in the format of GOPROXY (go help
// goproxy): all files that git does not ignore, as they are now, without other modules.
func serve(t *testing.T, dir, release string) {
	t.Helper()
	list, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skip("not a clone: ", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, release+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	z := zip.NewWriter(out)
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // removed, and not yet committed
		}
		if strings.HasPrefix(name, "test/kubernetes/") {
			continue // a module of its own
		}
		if err != nil {
			t.Fatal(err)
		}
		w, err := z.Create(module + "@" + release + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": release + "\n", release + ".mod": string(mod), release + ".info": `{"Version":"` + release + `"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goCommand runs the go command outside of the module and returns its output.
func goCommand(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
