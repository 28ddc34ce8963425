//go:build e2e

package admin

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// metric returns a line of what dockershctl metrics prints as a number; 0 if it is not there.
func metric(t *testing.T, text, name string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Error(err)
			}
			return n
		}
	}
	return 0
}

func TestMetricsShowLoginsSessionsAndContainers(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u, refused := e2e.NewUser(t), e2e.NewUser(t, "imagename = no-such-image", "pull = never")
	before := e2e.MustCtl(t, "metrics")
	e2e.CanLogIn(t, u)
	e2e.LiveSession(t, u)
	e2e.SSH(t, refused, "true").Refused(t)
	service, broker := 0., "root"
	switch e2e.Door {
	case "service":
		service = 1
	case "direct":
		broker = "user"
	}
	after := e2e.MustCtl(t, "metrics")
	for name, want := range map[string]float64{
		`dockersh_logins_total{outcome="cold"}`:                            service,
		`dockersh_logins_total{outcome="warm"}`:                            service,
		`dockersh_logins_total{outcome="refused",reason="container"}`:      service,
		`dockersh_login_duration_seconds_bucket{outcome="warm",le="+Inf"}`: service,
		`dockersh_sessions_started_total`:                                  2 * service,
		`dockersh_sessions{broker="` + broker + `"}`:                       1,
	} {
		if got := metric(t, after, name) - metric(t, before, name); got < want {
			t.Errorf("%s rose by %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]float64{"dockersh_broker_up": service, "dockersh_engines_up": 1, "dockersh_settings_valid": 1} {
		if got := metric(t, after, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if metric(t, after, `dockersh_containers{state="running"}`) < 1 || !strings.HasSuffix(after, "# EOF\n") {
		t.Errorf("%s", after)
	}
	if all, used := metric(t, after, "dockersh_network_addresses"), metric(t, after, "dockersh_network_addresses_used"); used < 1 || used > all {
		t.Errorf("%v addresses of %v", used, all)
	}
	if strings.Contains(after, u.Name) {
		t.Errorf("a user is named:\n%s", after)
	}
	file := t.TempDir() + "/dockersh.prom"
	e2e.MustCtl(t, "metrics", "--textfile", file)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o644 || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
}
