package sessions

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/root/history"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)

func TestTimeIsADurationOrADate(t *testing.T) {
	for s, want := range map[string]time.Time{
		"": {}, "2h": noon.Add(-2 * time.Hour), "7d": noon.AddDate(0, 0, -7), "90m30s": noon.Add(-90*time.Minute - 30*time.Second),
		"2026-11-20": time.Date(2026, 11, 20, 0, 0, 0, 0, time.Local), "2026-11-20 07:30": time.Date(2026, 11, 20, 7, 30, 0, 0, time.Local),
	} {
		if got, err := parseTime(s, noon); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", s, got, err, want)
		}
	}
	for _, bad := range []string{"x", "-2h", "d", "-1d", "2026-13-01", "yesterday", "99999999999d"} {
		if got, err := parseTime(bad, noon); !errors.Is(err, cli.ErrMisuse) {
			t.Errorf("%q: %v %v", bad, got, err)
		}
	}
}

func TestHistoryShowsHowEachSessionEnded(t *testing.T) {
	exit := 7
	rows := []past{}
	var all history.Collector
	for _, e := range []history.Event{
		{Time: noon, Kind: history.Start, ID: "a", User: "alice", Client: "192.0.2.7", TTY: "pts/3", Container: "alice_dockersh", Cold: "container was not running", Command: "echo \x1b[2J\nroot\t0", Cut: true},
		{Time: noon.Add(26 * time.Hour), Kind: history.End, ID: "a", Exit: &exit},
		{Time: noon, Kind: history.Start, ID: "b", User: "bob"},
		{Time: noon.Add(time.Second), Kind: history.End, ID: "b", Lost: "the container was stopped"},
		{Time: noon, Kind: history.Refused, UID: 77, Reason: "this host does not know you"},
		{Time: noon, Kind: history.Refused, UID: 77, Reason: "this host does not know you", Number: 531},
		{Time: noon, Kind: history.Start, ID: "c", User: "carol"},
		{Time: noon, Kind: history.Start, ID: "d", User: "dora"},
	} {
		all.Add(e)
	}
	for _, s := range all.Sessions() {
		rows = append(rows, pastOf(s, s.ID == "c", noon.Add(time.Minute)))
	}
	var b strings.Builder
	if err := printHistory(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, want := range []string{
		"USER CLIENT TTY CONTAINER SINCE DURATION STATUS COLD COMMAND",
		`alice 192.0.2.7 pts/3 alice_dockersh 2026-11-24 12:00:00 1d 2:00:00 exit 7 container was not running echo \x1b[2J\nroot\t0...`,
		"bob - - - 2026-11-24 12:00:00 0:00:01 lost: the container was stopped -",
		"77 - - - 2026-11-24 12:00:00 - refused: this host does not know you -",
		"77 - - - 2026-11-24 12:00:00 - refused 531 times: this host does not know you -",
		"carol - - - 2026-11-24 12:00:00 0:01:00 still in -",
		"dora - - - 2026-11-24 12:00:00 - unknown -",
	} {
		if i >= len(lines) || strings.Join(strings.Fields(lines[i]), " ") != want {
			t.Errorf("line %d of\n%s\nmust be %q", i, b.String(), want)
		}
	}
}
