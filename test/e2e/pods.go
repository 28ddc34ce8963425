package e2e

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wholeCluster is the program of a whole Kubernetes (test/kubernetes/whole). With it the containers
// of all users of this run are pods, but of those whose test names another engine.
var wholeCluster = os.Getenv("WHOLE")

// InPods reports whether the containers of this run are pods.
func InPods() bool { return wholeCluster != "" }

// Whole is the cluster of a run with pods. It ends with the place of this run.
const Whole Cluster = "/run/cluster"

// startPods starts the cluster, or clears what another test binary left in it.
func startPods() error {
	if !InPods() {
		return nil
	}
	if err := startOfCluster("start"); err != nil {
		return err
	}
	if err := Whole.ApplyManifests(); err != nil {
		return err
	}
	for _, at := range []string{PodsAt, ClaimsAt, volumesAt} {
		_, err := Whole.Ask(http.MethodDelete, at+"?gracePeriodSeconds=0", nil)
		if err != nil {
			return err
		}
		if !Within(Limit, func() bool {
			var left string
			left, err = Whole.Ask(http.MethodGet, at, nil)
			return err == nil && strings.Contains(left, `"items":[]`)
		}) {
			return fmt.Errorf("%s is not empty, %w", at, err)
		}
	}
	return SetSection("dockersh", Whole.Settings()...)
}

// startOfCluster starts the cluster, or its API server once more ("apiserver"), and waits for it.
func startOfCluster(what string) error {
	cmd := exec.Command("sh", os.Getenv("REPO")+"/scripts/cluster", what, wholeCluster)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

// RestartAPIServer starts the API server of the cluster again, which a test has killed.
func RestartAPIServer(t testing.TB) {
	t.Helper()
	if err := startOfCluster("apiserver"); err != nil {
		t.Fatal(err)
	}
}

const volumesAt = "/api/v1/persistentvolumes/"

// forPods returns the account's lines with a claim in place of its mounted home. The volume behind
// that claim is the home on this host, which is the node as well.
func (a *Account) forPods(lines []string) ([]string, error) {
	const claim = "homeclaim = home-%u"
	lines = slices.Clone(lines)
	if i := slices.Index(lines, "mounthome"); InPods() && i >= 0 {
		lines[i] = claim
	}
	if !InPods() || !slices.Contains(lines, claim) {
		return lines, nil
	}
	return lines, Whole.Make(volumesAt, fmt.Sprintf(`{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "home-%s"}, "spec": {
		"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": %q},
		"claimRef": {"namespace": %q, "name": "home-%s"}}}`, a.Name, a.Home, Namespace, a.Name))
}

// removeClaim removes the claim of the account's home, and the volume behind it.
func (a *Account) removeClaim(t testing.TB) {
	if !InPods() {
		return
	}
	for _, at := range []string{ClaimsAt, volumesAt} {
		if _, err := Whole.Ask(http.MethodDelete, at+"home-"+a.Name, nil); err != nil && !strings.Contains(err.Error(), "NotFound") {
			t.Error(err)
		}
	}
}

// An exception is a test, or a part of one, that has no meaning where containers are pods.
type exception struct{ folder, test, why string }

// notInPods reads the table of them: FOLDER TEST[/PART...]: REASON.
func notInPods(file string) (all []exception, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		what, why, ok := strings.Cut(line, ": ")
		folder, test, too := strings.Cut(what, " ")
		if !ok || !too || why == "" {
			return nil, fmt.Errorf("%s: %q is not FOLDER TEST: REASON", file, line)
		}
		all = append(all, exception{folder, test, why})
	}
	return all, nil
}

// pattern returns the pattern of go test for these tests alone.
func pattern(all []exception) string {
	var each []string
	for _, e := range all {
		each = append(each, "^"+strings.ReplaceAll(e.test, "/", "$/^")+"$")
	}
	return strings.Join(each, "|")
}

// alone is set in the run of the tests of the table.
const alone = "NOT_IN_PODS"

// runInPods runs the tests of a folder but those of the table, and then these, which must fail: a
// line of the table whose test passes has to go.
func runInPods(m *testing.M) int {
	wd, err := os.Getwd()
	var all []exception
	if err == nil {
		all, err = notInPods("../not-in-pods.txt")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	flag.Parse()
	all = slices.DeleteFunc(all, func(e exception) bool { return e.folder != filepath.Base(wd) })
	chosen := flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.list").Value.String() != ""
	if len(all) == 0 || chosen || os.Getenv(alone) != "" {
		return m.Run()
	}
	if err := flag.Set("test.skip", pattern(all)); err != nil {
		panic(err)
	}
	code := m.Run()
	if code != 0 {
		return code
	}
	stopWorld()
	cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run", pattern(all), "-test.timeout=30m")
	cmd.Env, cmd.Stderr = append(os.Environ(), alone+"=1"), os.Stderr
	out, _ := cmd.Output() // a failure is what is wanted
	for _, e := range all {
		switch verdictOf(out, e.test) {
		case "FAIL", "SKIP":
		case "PASS":
			fmt.Fprintf(os.Stderr, "e2e: %s passes with pods: take it out of test/e2e/not-in-pods.txt\n", e.test)
			code = 1
		default:
			fmt.Fprintf(os.Stderr, "e2e: %s, of test/e2e/not-in-pods.txt, did not run\n%s", e.test, out[max(len(out)-2000, 0):])
			code = 1
		}
	}
	return code
}

// verdictOf returns what go test wrote of a test: PASS, FAIL or SKIP.
func verdictOf(out []byte, test string) string {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) > 2 && f[0] == "---" && f[2] == test {
			return strings.TrimSuffix(f[1], ":")
		}
	}
	return ""
}
