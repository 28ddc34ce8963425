package values

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

func TestTypesReadOneFormAndReturnAnother(t *testing.T) {
	const wrong = "wrong"
	for name, c := range map[string]struct {
		read func(string) (string, *syntax.Problem)
		want map[string]string
	}{
		"Bool":     {Bool, map[string]string{"true": "true", "YES": "true", "on": "true", "1": "true", "No": "false", "off": "false", "0": "false", "": wrong, "2": wrong}},
		"Int":      {Int, map[string]string{"0": "0", "007": "7", "-3": "-3", "": wrong, "1.5": wrong, "1e3": wrong, "99999999999999999999": wrong}},
		"Duration": {Duration, map[string]string{"0": "0s", "90s": "1m30s", "1h30m": "1h30m0s", "": wrong, "5": wrong, "-1s": wrong, "1d": wrong}},
	} {
		for value, want := range c.want {
			got, problem := c.read(value)
			if problem != nil {
				got = wrong
			}
			if got != want {
				t.Errorf("%s(%q): %q, not %q", name, value, got, want)
			}
		}
	}
}

func TestValuesAreAcceptedOrRefused(t *testing.T) {
	for name, c := range map[string]struct {
		check        func(string) *syntax.Problem
		right, wrong []string
	}{
		"NotNegative":  {NotNegative, []string{"0", "7"}, []string{"-1", "-0"}},
		"Memory":       {Memory, []string{"1", "512m", "1.5g", "2G", "9k", "4b"}, []string{"", "m", "0", "0m", "-1m", "1e9", "1t", ".5g", "5.g", "1 m", "Inf"}},
		"CPUs":         {CPUs, []string{"1", "1.5", "0.000000001"}, []string{"", "0", "-1", "1e1", "0.0000000001", "NaN", "1,5"}},
		"OnChange":     {OnChange, []string{"keep", "recreate"}, []string{"", "Keep", "remove"}},
		"Pull":         {Pull, []string{"missing", "always", "never"}, []string{"", "allways"}},
		"Word":         {Word, []string{"", "debian:12", "a-b"}, []string{"-v", "--rm", "a b", "a\tb", "a\u00a0b"}},
		"ImagePattern": {ImagePattern, []string{"debian:*", "busybox"}, []string{"!debian", "-x", "a b"}},
		"UserName":     {UserName, []string{"alice", "%u", "0", "1000", "1000:1000", "a.b@c"}, []string{"4294967295", "1000:", "1000:x", "a:b", "a/b", "a b", "-a", "1000:4294967295"}},
		"Hostname":     {Hostname, []string{"h", "h1.example-x", strings.Repeat("h", 64)}, []string{"", "-h", ".h", "h h", "hö", strings.Repeat("h", 65)}},
		"Capability":   {Capability, []string{"NET_RAW", "CAP_NET_RAW", "ALL"}, []string{"", "CAP_", "net_raw", "NET RAW", "_A", "A,B"}},
		"EnvPattern":   {EnvPattern, []string{"LANG", "LC_*", "A?"}, []string{"A B", "A=B", "!A"}},
		"Env":          {Env, []string{"A=b", "A=", "_A1=b=c"}, []string{"", "=b", "1A=b", "A B=c", "A-B=c"}},
		"Path":         {Path, []string{"/", "/a b/../c"}, []string{"", "a", "./a", "~/a"}},
		"File":         {File, []string{"/a", "/a/b.cast"}, []string{"a", "/a/", "/a/../b", "/.."}},
		"Program":      {Program, []string{"/bin/sh"}, []string{"sh", "/bin/sh -l", ""}},
		"Volume":       {Volume, []string{"/a", "/a:/b", "/a:/b:ro", "name:/b", "/a b:/c"}, []string{"", "a", "./a:/b", "~/a:/b", ":/b", "/a:b", "/a:", "-v:/b", "n m:/b"}},
		"Forward":      {Forward, []string{"8080:80"}, []string{"", "80", "0:80", "80:65536", "a:b", "+1:80"}},
		"Socket": {Socket, []string{"/run/docker.sock", "unix:///run/docker.sock", "tcp://h:2376", "tcp://[::1]:2376", "ssh://h", "ssh://u@h:22", "ssh://u@[::1]", "kubernetes://n", "kubernetes://a-1"},
			[]string{"", "run/docker.sock", "unix://run", "http://h:1", "tcp://h", "tcp://h:0", "tcp://h:99999", "tcp://:1", "tcp://-h:1", "tcp://u@h:1",
				"tcp://[::1:1", "ssh://", "ssh://-oProxyCommand=x", "ssh://-u@h", "ssh://@h", "ssh://u@", "ssh://h/x", "ssh://h x", "tcp://[]:1",
				"kubernetes://", "kubernetes://A", "kubernetes://a/b", "kubernetes://-a", "kubernetes://a?b", "kubernetes://" + strings.Repeat("n", 64)}},
		"KubeConfig": {KubeConfig, []string{"/etc/dockersh/kubeconfig", "/k#context"}, []string{"k", "#c", ""}},
		"Quantity":   {Quantity, []string{"1Gi", "500M", "7", "10Ti"}, []string{"", "0", "0Gi", "Gi", "1Gb", "-1Gi", "1.5Gi", "1 Gi", "1K", strings.Repeat("9", 16)}},
	} {
		for _, value := range c.right {
			if problem := c.check(value); problem != nil {
				t.Errorf("%s refuses %q: %s", name, value, problem.Text)
			}
		}
		for _, value := range c.wrong {
			if problem := c.check(value); problem == nil {
				t.Errorf("%s accepts %q", name, value)
			} else if problem.At < 0 || problem.At > len(value) {
				t.Errorf("%s: the problem of %q is at byte %d", name, value, problem.At)
			}
		}
	}
	if got := PlainCapability("CAP_NET_RAW"); got != "NET_RAW" {
		t.Error(got)
	}
	if got := PlainSocket("unix:///run/docker.sock"); got != "/run/docker.sock" {
		t.Error(got)
	}
}

func TestOptionHasItsNameAndItsValue(t *testing.T) {
	for words, want := range map[string][2]string{
		"--user=root": {"--user", "root"}, "--user root": {"--user", "root"}, "--user": {"--user", ""}, "--label=a=b": {"--label", "a=b"},
		"-uroot": {"-u", "root"}, "-u=root": {"-u", "root"}, "-u root": {"-u", "root"}, "-u": {"-u", ""}, "-v/a:/b": {"-v", "/a:/b"}, "-v=/a=/b": {"-v", "/a=/b"},
	} {
		if name, value := Option(strings.Fields(words)); name != want[0] || value != want[1] {
			t.Errorf("%s: %q %q", words, name, value)
		}
	}
}

func TestBytesCountsAsTheEngineDoes(t *testing.T) {
	for s, want := range map[string]float64{
		"7": 7, "7b": 7, "1.5k": 1536, "2M": 2 << 20, "0.5g": 1 << 29, "3G": 3 << 30, "": 0, "m": 0, "1t": 0, "-1m": 0, "1mb": 0,
	} {
		if got := Bytes(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
