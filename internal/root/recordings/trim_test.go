package recordings

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// id returns what could be the id of a session.
func id(n int) string {
	return strings.NewReplacer("0", "a", "1", "b", "8", "c", "9", "d").Replace(fmt.Sprintf("%012d", n))
}

// put makes a recording that takes so many KiB, and ended n seconds after the beginning of time.
func put(t *testing.T, path string, kib int, age int) {
	t.Helper()
	text := []byte(beginning + strings.Repeat("x", kib<<10-len(beginning)))
	at := time.Unix(1_700_000_000+int64(age), 0)
	for _, err := range []error{os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600), os.Chtimes(path, at, at)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// left returns the names of all that is below a directory, but for directories.
func left(t *testing.T, top string) (all []string) {
	t.Helper()
	if err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(top, path)
			all = append(all, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// trim trims a place, and returns how many recordings were removed.
func trim(t *testing.T, top string, kib int64) int {
	t.Helper()
	p, ok := PlaceOf(top + "/%u/%x.cast")
	if !ok {
		t.Fatal(top)
	}
	n := 0
	if err := p.Trim(t.Context(), kib<<10, func(r Removed) {
		n += r.Number
		if r.Bytes < int64(r.Number)*leastSpace || !strings.HasPrefix(r.Dir, top+"/") {
			t.Errorf("%+v", r)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOldestRecordingsGoFirst(t *testing.T) {
	top := rootOnly(t)
	for n := range 10 { // the youngest has the first name
		put(t, top+"/alice/"+id(n)+".cast", 64, -n)
	}
	if n := trim(t, top, 640); n != 0 {
		t.Errorf("%d are removed though there is room", n)
	}
	if n := trim(t, top, 600); n != 1 {
		t.Errorf("%d are removed", n)
	}
	if n := trim(t, top, 250); n != 6 {
		t.Errorf("%d are removed", n)
	}
	want := []string{"alice/" + id(0) + ".cast", "alice/" + id(1) + ".cast", "alice/" + id(2) + ".cast"}
	slices.Sort(want)
	if got := left(t, top); !slices.Equal(got, want) {
		t.Errorf("left: %q", got)
	}
	if n := trim(t, top, 1); n != 3 { // less than one recording
		t.Errorf("%d are removed", n)
	}
}

func TestUserWithLessThanAShareLosesNothing(t *testing.T) {
	top := rootOnly(t)
	for n := range 5 {
		put(t, top+"/bob/"+id(n)+".cast", 16, n) // the oldest of all
	}
	for n := range 40 {
		put(t, top+"/mallory/"+id(n)+".cast", 64, 100+n)
		put(t, top+"/carol/"+id(n)+".cast", 16, 50+n)
	}
	trim(t, top, 1024) // bob has 80, carol 640
	for user, want := range map[string]int{"bob": 5, "carol": 29, "mallory": 7} {
		if all, _ := os.ReadDir(top + "/" + user); len(all) != want {
			t.Errorf("%s has %d, want %d", user, len(all), want)
		}
	}
}

func TestSharesAddUpToTheLimit(t *testing.T) {
	for _, c := range []struct {
		sizes []int64
		most  int64
		share int64
		over  bool
	}{
		{nil, 10, 0, false},
		{[]int64{5, 5}, 10, 0, false},
		{[]int64{11}, 10, 10, true},
		{[]int64{100, 1, 1}, 10, 8, true},
		{[]int64{100, 3, 100}, 10, 3, true},
		{[]int64{100, 4, 100}, 10, 3, true},
		{[]int64{5, 5, 1}, 10, 4, true},
	} {
		all := map[string]taken{}
		for i, n := range c.sizes {
			all[id(i)] = taken{space: n}
		}
		if share, over := shareOf(all, c.most); share != c.share || over != c.over {
			t.Errorf("%v of %d: %d %v", c.sizes, c.most, share, over)
		}
	}
}

func TestRecordingThatIsBeingWrittenStays(t *testing.T) {
	top := rootOnly(t)
	f, err := New(top + "/alice/" + id(0) + ".cast")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(beginning + strings.Repeat("x", 100<<10)); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1, 0)
	if err := os.Chtimes(f.Name(), old, old); err != nil {
		t.Fatal(err)
	}
	copied, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3) // as that of the bridge
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	put(t, top+"/alice/"+id(1)+".cast", 64, 0)
	if n := trim(t, top, 128); n != 1 {
		t.Errorf("%d are removed", n)
	}
	if got := left(t, top); len(got) != 1 || filepath.Base(got[0]) != filepath.Base(f.Name()) {
		t.Errorf("left: %q", got)
	}
	_ = unix.Close(copied)
	if n := trim(t, top, 64); n != 1 {
		t.Errorf("after its end %d are removed", n)
	}
}

func TestWhatIsNoRecordingOfOursIsNeverRemoved(t *testing.T) {
	top, elsewhere := rootOnly(t), rootOnly(t)
	name := func(n int) string { return "/alice/" + id(n) + ".cast" }
	put(t, top+name(0), 64, 0)
	put(t, top+"/notes", 64, 0)
	put(t, top+"/"+id(0)+".cast", 64, 0)            // not in a directory of a user
	put(t, top+"/alice/deep/"+id(0)+".cast", 64, 0) // too deep
	put(t, top+name(0)+".gz", 64, 0)
	put(t, top+name(1), 64, 0)
	put(t, top+name(2), 64, 0)
	put(t, top+name(3), 64, 0)
	put(t, top+"/group/"+id(0)+".cast", 64, 0)
	put(t, top+"/theirs/"+id(0)+".cast", 64, 0)
	put(t, elsewhere+"/"+id(0)+".cast", 64, 0)
	for _, err := range []error{
		os.WriteFile(top+name(1), []byte(strings.Repeat("x", 64<<10)), 0o600), // other contents
		os.Chown(top+name(2), 12345, 0),
		os.Link(top+name(3), top+"/kept"), // somebody keeps it
		os.Chmod(top+"/group", 0o770), os.Chown(top+"/theirs", 12345, 0),
		os.Symlink(elsewhere, top+"/link"),
		os.Symlink(elsewhere+"/"+id(0)+".cast", top+name(4)),
		os.Mkdir(top+name(5), 0o700), unix.Mkfifo(top+name(6), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := left(t, top)
	if n := trim(t, top, 1); n != 1 {
		t.Errorf("%d are removed, want that of %s alone", n, name(0))
	}
	if got := left(t, top); !slices.Equal(got, slices.DeleteFunc(before, func(p string) bool { return "/"+p == name(0) })) {
		t.Errorf("left: %q", got)
	}
	if got := left(t, elsewhere); len(got) != 1 {
		t.Errorf("left elsewhere: %q", got)
	}
}

func TestPlaceThatOthersCanChangeIsNotTouched(t *testing.T) {
	top := rootOnly(t)
	put(t, top+"/in/alice/"+id(0)+".cast", 64, 0)
	p, _ := PlaceOf(top + "/in/%u/%x.cast")
	if err := os.Chmod(top, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := p.Trim(t.Context(), 1, func(Removed) {}); err == nil || len(left(t, top)) != 1 {
		t.Errorf("%v", err)
	}
	p.Dir = top + "/none"
	if err := os.Chmod(top, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := p.Trim(t.Context(), 1, func(Removed) {}); err != nil {
		t.Errorf("a place that is not there yet: %v", err)
	}
}

func TestTrimEndsWithItsContext(t *testing.T) {
	top := rootOnly(t)
	put(t, top+"/alice/"+id(0)+".cast", 64, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, _ := PlaceOf(top + "/%u/%x.cast")
	if err := p.Trim(ctx, 1, func(Removed) {}); !errors.Is(err, context.Canceled) || len(left(t, top)) != 1 {
		t.Errorf("%v", err)
	}
}

// Small files count as much of a limit as they count of the file system's.
func TestEachRecordingCountsTheSpaceOfAFile(t *testing.T) {
	top := rootOnly(t)
	for n := range 100 {
		put(t, top+"/alice/"+id(n)+".cast", 1, n)
	}
	f, err := New(top + "/alice/" + id(100) + ".cast") // nothing was ever recorded
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	old := time.Unix(1, 0)
	if err := os.Chtimes(f.Name(), old, old); err != nil {
		t.Fatal(err)
	}
	if n := trim(t, top, 160); n != 91 {
		t.Errorf("%d are removed", n)
	}
}

// A login may be making its file at the very moment.
func TestFileThatIsRemovedAtOnceIsMadeAgain(t *testing.T) {
	top := rootOnly(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		p, _ := PlaceOf(top + "/%u/%x.cast")
		for {
			select {
			case <-stop:
				return
			default:
				_ = p.Trim(context.Background(), 1, func(Removed) {})
			}
		}
	}()
	seen := map[string]bool{}
	for n := range 2000 {
		f, err := New(top + "/alice/" + id(n%3) + ".cast")
		if err != nil {
			t.Error(err)
			break
		}
		if _, err := os.Stat(f.Name()); err != nil {
			t.Errorf("%d: %v", n, err)
		}
		seen[filepath.Base(f.Name())] = true
		_ = f.Close()
	}
	close(stop)
	<-done
	if len(seen) < 3 {
		t.Errorf("%d names", len(seen))
	}
}

func trimTemplate(t *testing.T, template string, others []string, kib int64) {
	t.Helper()
	p, ok := PlaceOf(template)
	if !ok {
		t.Fatal(template)
	}
	if err := p.Except(others).Trim(t.Context(), kib<<10, func(Removed) {}); err != nil {
		t.Fatal(err)
	}
}

func TestRecordingsOfAnotherLimitStay(t *testing.T) {
	for other, name := range map[string]string{
		"/audited/%x.cast":  "/audited/" + id(0) + ".cast",
		"/%U/%x.cast":       "/1000/" + id(0) + ".2.cast",
		"//alice/./%x.cast": "/alice/" + id(0) + ".cast",
		"/%h/%x.cast":       "/home/" + id(0) + ".cast",
		"/alice%h.cast":     "/alice/" + id(0) + ".cast",
		"/link/%u/%x.cast":  "",
		"/link/sub/%x.cast": "",
		"/%s":               "/bin/" + id(0) + ".cast",
	} {
		top := rootOnly(t)
		if err := os.Symlink(top, top+"/link"); err != nil {
			t.Fatal(err)
		}
		if name == "" {
			name = "/sub/" + id(0) + ".cast"
		}
		put(t, top+name, 64, 0)
		put(t, top+"/sub-other/"+id(1)+".cast", 64, 0)
		all := []string{top + other, "/elsewhere/%u/%x.cast", "/%u/%x.cast"}
		trimTemplate(t, top+"/%u/%x.cast", all, 1)
		if _, err := os.Stat(top + name); err != nil {
			t.Errorf("%s: %v", other, err)
		}
		if deep := strings.Contains(other, "%h/") || strings.HasSuffix(other, "%s") || strings.Contains(other, "/%U") || strings.Contains(other, "link/%u"); deep {
			continue // all can be of that
		}
		if _, err := os.Stat(top + "/sub-other/" + id(1) + ".cast"); err == nil {
			t.Errorf("%s: nothing is removed", other)
		}
	}
}

func TestPlaceIsThatOfThePathAsTheKernelReadsIt(t *testing.T) {
	top := rootOnly(t)
	for n := range 4 {
		put(t, top+"/alice/"+id(n)+".cast", 64, n)
	}
	trimTemplate(t, top+"/.//%u/.//%x.cast", nil, 128)
	if got := left(t, top); len(got) != 2 {
		t.Errorf("left: %q", got)
	}
}

// Somebody compressed it, or does not want it to be removed.
func TestWhatCannotGoDoesNotCount(t *testing.T) {
	top := rootOnly(t)
	for n := range 4 {
		put(t, top+"/alice/"+id(n)+".cast", 64, n)
		put(t, top+"/bob/"+id(n)+".cast", 64, n)
	}
	for n, name := range []string{"/alice/" + id(8), "/alice/" + id(9)} {
		put(t, top+name+".cast", 1024, n*100) // the oldest, and the youngest
		if err := os.WriteFile(top+name+".cast", make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := trim(t, top, 512); n != 0 {
		t.Errorf("%d are removed", n)
	}
	if n := trim(t, top, 384); n != 2 {
		t.Errorf("%d are removed", n)
	}
	if got := left(t, top); len(got) != 8 {
		t.Errorf("left: %q", got)
	}
}

func TestLiveRecordingsPushOutNoneWhereThatIsNotEnough(t *testing.T) {
	top := rootOnly(t)
	f, err := New(top + "/alice/" + id(0) + ".cast")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(beginning + strings.Repeat("x", 512<<10)); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		put(t, top+"/alice/"+id(n+1)+".cast", 64, n)
	}
	if n := trim(t, top, 256); n != 0 {
		t.Errorf("%d are removed", n)
	}
	if n := trim(t, top, 128); n != 2 {
		t.Errorf("%d are removed", n)
	}
}

// Two who look at once, or one and cron(8), and names that come again.
func TestLiveRecordingKeepsItsNameHoweverManyLook(t *testing.T) {
	top := rootOnly(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, _ := PlaceOf(top + "/%u/r.cast")
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = p.Trim(ctx, 1, func(Removed) {})
			}
		})
	}
	var makers sync.WaitGroup
	for range 2 {
		makers.Go(func() {
			for n := range 2000 {
				f, err := New(top + "/alice/r.cast")
				if err != nil {
					t.Error(err)
					return
				}
				var st unix.Stat_t
				for range 5 {
					if unix.Fstat(int(f.Fd()), &st) != nil || st.Nlink != 1 {
						t.Errorf("%d: it lost its name", n)
						break
					}
					runtime.Gosched()
				}
				_ = f.Close()
			}
		})
	}
	makers.Wait()
	cancel()
	all.Wait()
}

func TestDirectoryThatCannotBeReadHidesNoOther(t *testing.T) {
	top := rootOnly(t)
	for _, user := range []string{"alice", "bob", "carol"} {
		put(t, top+"/"+user+"/"+id(0)+".cast", 1, 0)
	}
	p, _ := PlaceOf(top + "/%u/%x.cast")
	seen, broken := 0, errors.New("broken")
	if err := p.Walk(t.Context(), func(dir *os.File) error { seen++; return broken }); seen != 3 || !errors.Is(err, broken) {
		t.Errorf("%d %v", seen, err)
	}
	if err := p.Walk(t.Context(), func(dir *os.File) error {
		if err := os.RemoveAll(dir.Name()); err != nil {
			t.Error(err)
		}
		return Files(t.Context(), dir, func(string, *unix.Stat_t) {})
	}); err != nil {
		t.Errorf("removed meanwhile: %v", err)
	}
}
