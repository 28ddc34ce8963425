package player

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/root/state"
)

func TestPausesFollowSpeedAndIdleLimit(t *testing.T) {
	for _, c := range []struct {
		pace
		d, want time.Duration
	}{
		{pace{speed: 1}, time.Hour, time.Hour},
		{pace{speed: 2}, time.Second, time.Second / 2},
		{pace{speed: 0.5}, time.Second, 2 * time.Second},
		{pace{1, time.Second}, time.Hour, time.Second},
		{pace{2, time.Second}, time.Hour, time.Second / 2},
		{pace{speed: 1}, -time.Second, 0}, // times that go back
	} {
		if got := c.pause(c.d); got != c.want {
			t.Errorf("%+v: %v, want %v", c, got, c.want)
		}
	}
}

func TestSpaceHaltsAndResumes(t *testing.T) {
	s := &screen{keys: make(chan byte)}
	go func() {
		s.keys <- space
		time.Sleep(50 * time.Millisecond)
		s.keys <- space
	}()
	if halted, goOn := s.sleep(context.Background(), 10*time.Millisecond); !goOn || halted < 40*time.Millisecond {
		t.Errorf("%v %v", halted, goOn)
	}
	go func() { s.keys <- space; s.keys <- ctrlC }()
	if _, goOn := s.sleep(context.Background(), time.Hour); goOn {
		t.Error("ctrl-C ends nothing")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, goOn := s.sleep(ctx, time.Hour); goOn {
		t.Error("a signal ends nothing")
	}
}

func TestOnlyWholeLinesOfAGrowingFileAreRead(t *testing.T) {
	name := t.TempDir() + "/x"
	w, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	step := 0
	long := strings.Repeat("x", 200<<10)
	f := &follower{ctx: context.Background(), file: r, live: func() bool {
		steps := []func(){
			func() { _, _ = w.WriteString("one\ntw") },
			func() { _ = w.Truncate(4); _, _ = w.WriteAt([]byte("two\n"), 4) }, // taken back, as of a full disk
			func() { _, _ = w.WriteAt([]byte(long+"\n"), 8) },
			func() {},
			func() { _, _ = w.WriteAt([]byte("last\nhalf"), int64(8+len(long)+1)) },
		}
		if step == len(steps) {
			return false
		}
		steps[step]()
		step++
		return true
	}}
	got, err := io.ReadAll(f)
	if want := "one\ntwo\n" + long + "\nlast\n"; err != nil || string(got) != want {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.ctx, f.live = ctx, func() bool { return true }
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSessionIsFoundByItsIDOrItsContainer(t *testing.T) {
	all := []state.Session{
		{ID: "a", Container: "one", User: "u"},
		{ID: "b", Container: "one", User: "u", Recording: "/b"},
		{ID: "c", Container: "two", User: "u", Recording: "/c"},
		{ID: "d", Container: "two", User: "u", Recording: "/d"},
	}
	for word, want := range map[string]string{
		"one": "/b", "b": "/b", "d": "/d",
		"a": "not recorded", "two": "2 sessions in two are recorded", "none": "no live session",
	} {
		r, err := findRecorded(all, word)
		if err == nil && r.Recording != want || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want %s", word, r, err, want)
		}
	}
}
