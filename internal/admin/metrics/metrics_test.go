package metrics

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// full are figures with something of everything.
func full() *figures {
	times := make([]uint64, len(wire.LoginTimes)+1)
	times[2], times[len(times)-1] = 3, 1
	return &figures{
		validSettings: true,
		counters: &wire.Counters{Since: 1e9, Started: 8, HostShells: 1, Abandoned: 2, Refused: []uint64{0, 1, 2, 3, 4, 5, 6}, Warm: times, WarmTime: 1500e6,
			Cold: times, EngineCalls: 9, EngineFails: 1, Slots: 6, SlotsInUse: 2, Queue: 1},
		sessions: sessions.Count{Sessions: 3, Waiting: 1, Connections: 2}, ofUsers: sessions.Count{Sessions: 1},
		enginesKnown: true, engines: 2, down: 1,
		containers: map[engine.State]int{engine.Running: 2, "\"}\n": 1},
		recordings: []recorded{{dir: "/srv/a \"\\\n", known: true, number: 2, size: 10, room: 100, free: 50}, {dir: "/b"}},
		pool:       pool{all: 253, used: 2},
	}
}

// text returns what node_exporter reads.
func text(t *testing.T, f *figures) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeText(&b, f.families().known()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parsed(t *testing.T, text []byte) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	all, err := p.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return all
}

// value returns the value of a metric with these labels.
func value(t *testing.T, all map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range all[name].GetMetric() {
		var has []string
		for _, l := range m.Label {
			has = append(has, l.GetName(), l.GetValue())
		}
		if slices.Equal(has, labels) {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	t.Errorf("no %s%q", name, labels)
	return math.NaN()
}

func TestNumbersAreReadBackAsTheyAre(t *testing.T) {
	all := parsed(t, text(t, full()))
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "broker_up", nil}, {1e9, "broker_start_time_seconds", nil}, {8, "sessions_started_total", nil},
		{3, "sessions", []string{"broker", "root"}}, {1, "sessions", []string{"broker", "user"}},
		{4, "logins_total", []string{"outcome", "warm"}}, {2, "logins_total", []string{"outcome", "abandoned"}},
		{2, "logins_total", []string{"outcome", "refused", "reason", "denied"}}, {6, "logins_total", []string{"outcome", "refused", "reason", "busy"}},
		{4, "login_duration_seconds", []string{"outcome", "cold"}},
		{2, "containers", []string{"state", "running"}}, {1, "containers", []string{"state", "other"}},
		{2, "engines", nil}, {1, "engines_up", nil}, {1, "engine_queue_length", nil}, {1, "engine_call_errors_total", nil},
		{10, "recordings_size_bytes", []string{"directory", "/srv/a \"\\\n"}}, {253, "network_addresses", nil},
	} {
		if got := value(t, all, "dockersh_"+c.name, c.labels...); got != c.want {
			t.Errorf("%s%q: %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	h := all["dockersh_login_duration_seconds"].Metric[0].Histogram
	if b := h.Bucket[2]; b.GetUpperBound() != 0.001 || b.GetCumulativeCount() != 3 || h.GetSampleSum() != 1.5 || h.Bucket[len(h.Bucket)-2].GetCumulativeCount() != 3 {
		t.Errorf("%+v", h)
	}
	if n := len(all["dockersh_recordings"].Metric); n != 1 {
		t.Errorf("recordings that could not be counted have a number: %d", n)
	}
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	all := parsed(t, text(t, &figures{enginesKnown: true, engines: 1, down: 1, recordings: []recorded{{dir: "/not/there"}}}))
	if value(t, all, "dockersh_broker_up") != 0 || value(t, all, "dockersh_engines_up") != 0 || value(t, all, "dockersh_settings_valid") != 0 {
		t.Errorf("%v", all)
	}
	for _, name := range []string{"logins_total", "containers", "recordings", "network_addresses", "engine_calls_total"} {
		if all["dockersh_"+name] != nil {
			t.Errorf("%s is there", name)
		}
	}
	// A service of another release may count by fewer codes, or by more.
	few := full()
	few.counters = &wire.Counters{Refused: make([]uint64, 60), Warm: make([]uint64, 60)}
	parsed(t, text(t, few))
}

func TestOpenMetricsEndsAndNamesTheSameMetrics(t *testing.T) {
	var b bytes.Buffer
	if err := writeOpenMetrics(&b, full().families().known()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "\n# EOF\n") || !strings.Contains(b.String(), "# TYPE dockersh_logins counter\ndockersh_logins_total{outcome=\"warm\"} 4.0\n") {
		t.Errorf("%s", b.String())
	}
}

var metricName = regexp.MustCompile(`dockersh_[a-z_]+`)

// base is the name of a metric without the endings of a histogram.
func base(name string) string {
	for _, end := range []string{"_bucket", "_sum", "_count"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

func TestPagesRulesAndDashboardNameTheMetricsThatThereAre(t *testing.T) {
	there := parsed(t, text(t, full()))
	for _, path := range []string{"docs/man/dockershctl.8", "dist/prometheus/rules.yml", "dist/prometheus/dashboard.json", "docs/monitoring.md"} {
		page, err := os.ReadFile("../../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, ".json") && !json.Valid(page) {
			t.Errorf("%s is not JSON", path)
		}
		named := map[string]bool{}
		for _, name := range metricName.FindAllString(string(page), -1) {
			if named[base(name)] = true; there[base(name)] == nil {
				t.Errorf("%s names %s, which there is not", path, name)
			}
		}
		for name := range there {
			if strings.HasSuffix(path, ".8") && !named[name] {
				t.Errorf("%s does not name %s", path, name)
			}
		}
		if len(named) == 0 {
			t.Errorf("%s names none", path)
		}
	}
}

// Where promtool is installed it judges, too.
func TestPromtoolFindsNothing(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not here: the library alone has parsed them")
		return
	}
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = bytes.NewReader(text(t, full()))
	for _, cmd := range []*exec.Cmd{check, exec.Command(promtool, "check", "rules", "../../../dist/prometheus/rules.yml"),
		exec.Command(promtool, "test", "rules", "testdata/rules_test.yml")} {
		if out, err := cmd.CombinedOutput(); err != nil || cmd == check && len(out) > 0 {
			t.Errorf("%q: %v\n%s", cmd.Args, err, out)
		}
	}
}

func TestFileIsReplacedAtOnceAndReadByAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dockersh.prom")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, path+".kept"); err != nil {
		t.Fatal(err)
	}
	if err := replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(path)
	kept, _ := os.ReadFile(path + ".kept") // it was not written into
	info, err := os.Stat(path)
	if err != nil || string(got) != "new" || string(kept) != "old" || info.Mode() != 0o644 {
		t.Errorf("%q, %q, %v, %v", got, kept, info.Mode(), err)
	}
	if err := os.Mkdir(path+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := replace(path+".d", nil); err == nil {
		t.Error("a directory was replaced")
	}
	if all, _ := os.ReadDir(filepath.Dir(path)); len(all) != 3 {
		t.Errorf("left over: %v", all)
	}
}
