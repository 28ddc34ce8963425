package metrics

import (
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// list is what is shown. Names and labels are an interface, with docs/man/dockershctl.8. No label
// has a value that a user chooses, and none names a user.
type list []*dto.MetricFamily

// known returns those that have a value.
func (l list) known() list {
	return slices.DeleteFunc(l, func(f *dto.MetricFamily) bool { return len(f.Metric) == 0 })
}

// family adds a metric.
func (l *list) family(kind dto.MetricType, name, help string) *family {
	f := &dto.MetricFamily{Name: &name, Help: &help, Type: &kind}
	*l = append(*l, f)
	return &family{f}
}

func (l *list) gauge(name, help string) *family {
	return l.family(dto.MetricType_GAUGE, "dockersh_"+name, help)
}

func (l *list) counter(name, help string) *family {
	return l.family(dto.MetricType_COUNTER, "dockersh_"+name, help)
}

// family is a metric, with the values of its labels.
type family struct{ *dto.MetricFamily }

// set adds a value. labels are names and values in turn.
func (f *family) set(value float64, labels ...string) {
	m := &dto.Metric{}
	if *f.Type == dto.MetricType_GAUGE {
		m.Gauge = &dto.Gauge{Value: &value}
	} else {
		m.Counter = &dto.Counter{Value: &value}
	}
	f.add(m, labels)
}

func (f *family) add(m *dto.Metric, labels []string) {
	for i := 0; i < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: &labels[i], Value: &labels[i+1]})
	}
	f.Metric = append(f.Metric, m)
}

// setTimes adds a histogram of the times of logins.
func (f *family) setTimes(upTo []uint64, all uint64, labels ...string) {
	h, sum, n := &dto.Histogram{}, seconds(all), uint64(0)
	for i, in := range upTo {
		n += in
		if i < len(wire.LoginTimes) { // the last one has no bound
			h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(seconds(wire.LoginTimes[i])), CumulativeCount: new(n)})
		}
	}
	h.SampleSum, h.SampleCount = &sum, &n
	f.add(&dto.Metric{Histogram: h}, labels)
}

func seconds(nanoseconds uint64) float64 { return float64(nanoseconds) / 1e9 }

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// families returns the metrics.
func (f *figures) families() (l list) {
	l.gauge("build_info", "The version of dockershctl.").set(1, "version", version.Get())
	l.gauge("settings_valid", "Whether the settings file has no error; else logins are refused.").set(number(f.validSettings))
	l.gauge("broker_up", "Whether the service answers.").set(number(f.counters != nil))
	if f.counters != nil {
		l.addCounters(f.counters)
	}
	l.addSessions(f.sessions, f.ofUsers)
	if f.enginesKnown {
		l.gauge("engines", "Engines that the settings name.").set(float64(f.engines))
		l.gauge("engines_up", "Engines that listed their containers.").set(float64(f.engines - f.down))
	}
	if f.engines > f.down {
		l.addContainers(f.containers)
	}
	if f.pool.all > 0 {
		l.gauge("network_addresses", "Addresses for containers in dockersh's own network.").set(float64(f.pool.all))
		l.gauge("network_addresses_used", "Addresses in use by running containers.").set(float64(f.pool.used))
	}
	l.addRecordings(f.recordings)
	return l
}

var states = []engine.State{engine.Created, engine.Running, engine.Paused, engine.Restarting, engine.Removing, engine.Exited, engine.Dead}

func (l *list) addContainers(in map[engine.State]int) {
	byState := l.gauge("containers", "Containers that dockersh made, by state, on the engines that answered.")
	other := 0
	for _, n := range in {
		other += n
	}
	for _, s := range states {
		byState.set(float64(in[s]), "state", string(s))
		other -= in[s]
	}
	byState.set(float64(other), "state", "other")
}

func (l *list) addSessions(root, ofUsers sessions.Count) {
	for _, m := range []struct {
		name, help string
		of         func(sessions.Count) int
	}{
		{"sessions", "Live sessions, by the rights of their broker.", func(c sessions.Count) int { return c.Sessions }},
		{"logins_waiting", "Logins that wait for their container.", func(c sessions.Count) int { return c.Waiting }},
		{"connections", "Connections of ssh in the network of a container.", func(c sessions.Count) int { return c.Connections }},
	} {
		g := l.gauge(m.name, m.help)
		g.set(float64(m.of(root)), "broker", "root")
		g.set(float64(m.of(ofUsers)), "broker", "user")
	}
}

// reasons are the codes of refusals as values of a label.
var reasons = [...]string{
	usererr.Internal: "internal", usererr.Settings: "settings", usererr.Denied: "denied", usererr.Unavailable: "unavailable",
	usererr.Container: "container", usererr.Protocol: "protocol", usererr.Busy: "busy",
}

func sum(all []uint64) (n uint64) {
	for _, one := range all {
		n += one
	}
	return n
}

// addCounters adds what the service counted.
func (l *list) addCounters(c *wire.Counters) {
	l.gauge("broker_start_time_seconds", "When the service began, and with it all counters, in seconds since 1970.").set(float64(c.Since))
	l.counter("sessions_started_total", "Sessions that began.").set(float64(c.Started))
	logins := l.counter("logins_total", "Logins by their outcome, and refused ones by the reason.")
	logins.set(float64(sum(c.Warm)), "outcome", "warm")
	logins.set(float64(sum(c.Cold)), "outcome", "cold")
	logins.set(float64(c.HostShells), "outcome", "host_shell")
	logins.set(float64(c.Abandoned), "outcome", "abandoned")
	for i, n := range c.Refused[:min(len(c.Refused), len(reasons))] {
		logins.set(float64(n), "outcome", "refused", "reason", reasons[i])
	}
	times := l.family(dto.MetricType_HISTOGRAM, "dockersh_login_duration_seconds",
		"Time from the user's turn at the service until the session was handed over.")
	times.setTimes(c.Warm, c.WarmTime, "outcome", "warm")
	times.setTimes(c.Cold, c.ColdTime, "outcome", "cold")
	l.counter("engine_calls_total", "Calls of the service to engines.").set(float64(c.EngineCalls))
	l.counter("engine_call_errors_total", "Calls of the service to engines that failed.").set(float64(c.EngineFails))
	l.gauge("engine_slots", "Containers that are made or started at a time at most.").set(float64(c.Slots))
	l.gauge("engine_slots_used", "Containers that are being made or started.").set(float64(c.SlotsInUse))
	l.gauge("engine_queue_length", "Containers that wait to be made or started.").set(float64(c.Queue))
}

func (l *list) addRecordings(all []recorded) {
	if len(all) == 0 {
		return
	}
	number := l.gauge("recordings", "Recordings below a directory of the settings.")
	size := l.gauge("recordings_size_bytes", "Size of the recordings below a directory of the settings.")
	room := l.gauge("recordings_filesystem_size_bytes", "Size of the file system of recordings.")
	free := l.gauge("recordings_filesystem_free_bytes", "Free space in the file system of recordings.")
	for _, r := range all {
		if r.known {
			number.set(float64(r.number), "directory", r.dir)
			size.set(float64(r.size), "directory", r.dir)
		}
		if r.room > 0 {
			room.set(float64(r.room), "directory", r.dir)
			free.set(float64(r.free), "directory", r.dir)
		}
	}
}
