package account

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRootIsFoundByNameAndNumber(t *testing.T) {
	d := New(0)
	byUID, err := d.ByUID(t.Context(), 0)
	if err != nil || byUID.Name != "root" || byUID.UID != 0 || byUID.Home == "" {
		t.Fatalf("by number: %+v %v", byUID, err)
	}
	byName, err := d.ByName(t.Context(), "root")
	if err != nil || byName != byUID {
		t.Errorf("by name: %+v %v", byName, err)
	}
	groups, err := d.Groups(t.Context(), byUID)
	if err != nil || len(groups) == 0 || groups[0] != (Group{Name: "root"}) {
		t.Errorf("groups: %+v %v", groups, err)
	}
	if got, err := d.MemberOf(t.Context(), byUID, []string{"nogroup", "root"}); err != nil || !slices.Equal(got, []string{"root"}) {
		t.Errorf("member of %q: %v", got, err)
	}
}

// getent(1) itself prints root for each of the first four.
func TestTextThatCannotBeANameFindsNobody(t *testing.T) {
	d := New(0)
	for _, n := range []string{"0", "+0", "00", "4294967296", " 0", "-1", "", "-s", "--help", "root:", "root\n", "no such user", strings.Repeat("a", 300)} {
		if u, err := d.ByName(t.Context(), n); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %+v %v", n, u, err)
		}
	}
	for _, uid := range []uint32{4294967295, 4294967294} {
		if u, err := d.ByUID(t.Context(), uid); !errors.Is(err, ErrUnknown) {
			t.Errorf("%d: %+v %v", uid, u, err)
		}
	}
}

// standIn returns a DB whose name service is a shell script.
func standIn(t *testing.T, script string) *DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "getent")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	d := New(time.Minute)
	d.getentPath, d.passwdPath = path, "/nonexistent/passwd"
	return d
}

func TestBrokenNameServiceIsNotAnUnknownUser(t *testing.T) {
	for what, script := range map[string]string{
		"fails":           "echo broken >&2; exit 1",
		"is killed":       "kill -9 $$",
		"writes nonsense": "echo a:x:5",
		"writes two":      "echo a:x:5:5::/:; echo a:x:5:5::/:",
		"writes nothing":  "exit 0",
		"writes for ever": "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
	} {
		d := standIn(t, script)
		if _, err := d.ByName(t.Context(), "a"); !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	d := New(0)
	d.getentPath, d.passwdPath = "/nonexistent/getent", "/nonexistent/passwd"
	if _, err := d.ByUID(t.Context(), 0); !errors.Is(err, ErrUnavailable) {
		t.Errorf("is missing: %v", err)
	}
}

func TestNameServiceThatHangsIsGivenUp(t *testing.T) {
	d := standIn(t, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.ByUID(ctx, 5); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's limit: %v", err)
	}
	start := time.Now()
	if _, err := d.ByUID(t.Context(), 5); !errors.Is(err, ErrUnavailable) || time.Since(start) > getentLimit+2*time.Second {
		t.Errorf("our limit: %v after %v", err, time.Since(start))
	}
}

func TestEntryOfAnotherUserIsRefused(t *testing.T) {
	d := standIn(t, "echo root:x:0:0::/root:/bin/sh")
	if u, err := d.ByUID(t.Context(), 5); !errors.Is(err, ErrUnknown) {
		t.Errorf("by number: %+v %v", u, err)
	}
	if u, err := d.ByName(t.Context(), "Root"); !errors.Is(err, ErrUnknown) {
		t.Errorf("by name: %+v %v", u, err)
	}
}

func TestGroupsHaveNamesAndThePrimaryOneIsFirst(t *testing.T) {
	d := standIn(t, `case "$*" in
"initgroups -- al ice") echo "al ice                100 513 7 513 8" ;;
"group -- 100 513 7 8") echo users:x:100:; echo "domain users:x:513:a,b"; echo "7 odd"; echo eight:x:8:; exit 2 ;;
*) exit 1 ;;
esac`)
	u := User{Name: "al ice", UID: 5, GID: 100}
	got, err := d.Groups(t.Context(), u)
	if want := "[{users 100} {domain users 513} {7 7} {eight 8}]"; err != nil || fmt.Sprint(got) != want {
		t.Fatalf("got %v %v", got, err)
	}
	got[0].Name = "changed"
	if again, err := d.Groups(t.Context(), u); err != nil || again[0].Name != "users" {
		t.Errorf("after a change of the caller's: %v %v", again, err)
	}
}

func TestCallersThatAskAtOnceShareALookup(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	d := standIn(t, "echo x >>"+count+"; sleep 0.2; echo a:x:5:5::/:")
	gone, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = gone // a caller that gives up does not stop the lookup
			}
			if u, err := d.ByUID(ctx, 5); i%2 == 1 && (err != nil || u.Name != "a") {
				t.Errorf("%+v %v", u, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	wg.Wait()
	if b, err := os.ReadFile(count); err != nil || string(b) != "x\n" {
		t.Errorf("looked up: %q %v", b, err)
	}
}

func TestAnswerIsKeptForItsTimeAndAFailureNotAtAll(t *testing.T) {
	flag := filepath.Join(t.TempDir(), "flag")
	d := standIn(t, "test -e "+flag+" && echo a:x:5:5::/: || exit 2")
	d.users.ttl = 100 * time.Millisecond
	ask := func() error { _, err := d.ByUID(t.Context(), 5); return err }
	if err := ask(); !errors.Is(err, ErrUnknown) {
		t.Fatalf("before the user exists: %v", err)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Fatalf("when the user exists: %v", err)
	}
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("within the time: %v", err)
	}
	time.Sleep(150 * time.Millisecond)
	if err := ask(); !errors.Is(err, ErrUnknown) {
		t.Errorf("after the time: %v", err)
	}
}

func TestCacheKeepsNoMoreAnswersThanItsLimit(t *testing.T) {
	c := cache[int]{ttl: time.Hour, busy: make(chan struct{}, maxBusy)}
	for i := range maxCached + 100 {
		if v, err := c.get(t.Context(), fmt.Sprint(i), func(context.Context) (int, error) { return i, nil }); err != nil || v != i {
			t.Fatalf("%d: %d %v", i, v, err)
		}
	}
	if len(c.all) > maxCached {
		t.Errorf("%d are kept", len(c.all))
	}
}

func BenchmarkLookup(b *testing.B) {
	d := New(time.Nanosecond)
	for b.Loop() {
		if _, err := d.ByUID(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMembersAreListedOrHaveThePrimaryGroup(t *testing.T) {
	d := standIn(t, `case "$1 $3" in
"passwd ") printf 'alice:x:1000:7::/:\nno line\nbob:x:1001:8::/:\ncarol:x:1002:7::/:\n' ;;
"group lab") echo lab:x:7:dave,carol ;;
"group other") echo lab:x:7:dave ;;
*) exit 2 ;;
esac
`)
	users, err := d.All(t.Context())
	if err != nil || len(users) != 3 {
		t.Fatalf("%+v, %v", users, err)
	}
	for group, want := range map[string][]string{"lab": {"dave", "carol", "alice"}, "other": nil, "none": nil, "": nil, "a\nb": nil} {
		if got, err := d.Members(t.Context(), group, users); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", group, got, err, want)
		}
	}
	if _, err := standIn(t, "exit 1\n").Members(t.Context(), "lab", nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a dead name service: %v", err)
	}
}

func TestKnownUsersAreFoundByOneGetent(t *testing.T) {
	d := standIn(t, `echo "$@" >>"$0.calls"; echo a:x:1:1::/:/bin/sh; echo c:x:3:3::/:/bin/sh; exit 2`)
	known, _, err := d.Known(t.Context(), []string{"a", "b", "c", "", "x:y"})
	if err != nil || len(known) != 2 || known["a"].UID != 1 || known["c"].UID != 3 {
		t.Errorf("%v %v", known, err)
	}
	if calls, err := os.ReadFile(d.getentPath + ".calls"); string(calls) != "passwd -- a b c\n" {
		t.Errorf("%q %v", calls, err)
	}
	if _, _, err := standIn(t, "exit 1").Known(t.Context(), []string{"a"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a directory that fails: %v", err)
	}
	known, _, err = New(0).Known(t.Context(), []string{"root", "no-such-user"})
	if err != nil || len(known) != 1 || known["root"].Home == "" {
		t.Errorf("%v %v", known, err)
	}
}
