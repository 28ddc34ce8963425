//go:build e2e

package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// What Prometheus answers to /api/v1/query and /api/v1/rules, as far as it is looked at.
type answer struct {
	Data struct {
		Result []struct{ Value [2]any }
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
}

func TestPrometheusReadsMetricsInBothFormatsAndEvaluatesTheRules(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	const address = "127.0.0.1:9097"
	e2e.LiveSession(t, e2e.NewUser(t))
	file := t.TempDir() + "/dockersh.prom"
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openmetrics" {
			w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
			fmt.Fprint(w, e2e.MustCtl(t, "metrics"))
			return
		}
		e2e.MustCtl(t, "metrics", "--textfile", file)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		http.ServeFile(w, r, file)
	}))
	t.Cleanup(host.Close)

	rules, err := filepath.Abs("../../../dist/prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := t.TempDir() + "/prometheus.yml"
	text := "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [" + rules + "]\nscrape_configs:\n"
	for _, format := range []string{"openmetrics", "textfile"} {
		text += fmt.Sprintf("  - {job_name: %s, metrics_path: /%[1]s, static_configs: [{targets: ['%s']}]}\n", format, host.Listener.Addr())
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	prometheus := e2e.Daemon{
		Name: "prometheus", Argv: []string{
			"prometheus", "--config.file=" + config, "--storage.tsdb.path=" + t.TempDir(), "--web.listen-address=" + address,
		},
		Ready: func() bool { return e2e.Listens(address) },
	}
	t.Cleanup(prometheus.Stop)
	if err := prometheus.Start(); err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (a answer) {
		r, err := http.Get("http://" + address + "/api/v1/" + path)
		if err != nil {
			return a
		}
		defer r.Body.Close()
		_ = json.NewDecoder(r.Body).Decode(&a) // not ready yet
		return a
	}
	for query, want := range map[string]string{
		"sum(up)":                                                  "2",
		`sum(dockersh_sessions{broker="root"})`:                    "2",
		"sum(dockersh_broker_up)":                                  "2",
		`count(dockersh_logins_total{outcome="warm"})`:             "2",
		`count(dockersh_login_duration_seconds_bucket{le="+Inf"})`: "4",
	} {
		e2e.Eventually(t, query+" = "+want+prometheus.Log(), func() bool {
			result := ask("query?query=" + url.QueryEscape(query)).Data.Result
			return len(result) == 1 && result[0].Value[1] == want
		})
	}
	evaluated := func() (all, sound int) {
		for _, group := range ask("rules").Data.Groups {
			for _, rule := range group.Rules {
				if all++; rule.Health == "ok" {
					sound++
				} else if rule.Health == "err" {
					t.Errorf("%s: %s", rule.Name, rule.LastError)
				}
			}
		}
		return all, sound
	}
	e2e.Eventually(t, "Prometheus evaluates all rules", func() bool { all, sound := evaluated(); return all > 0 && sound == all })
}
