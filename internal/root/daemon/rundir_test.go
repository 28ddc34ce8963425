package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tmpOf returns a directory in place of /tmp, and the name there that is the user's first.
func tmpOf(t *testing.T) (tmp, first string, uid int) {
	t.Helper()
	tmp, uid = t.TempDir(), os.Geteuid()
	return tmp, filepath.Join(tmp, "dockersh-"+strconv.Itoa(uid)), uid
}

func finds(t *testing.T, first string, uid int) string {
	t.Helper()
	dir, err := dirInTmp(first, uid)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPrivateDir(dir, uid); err != nil {
		t.Error(err)
	}
	return dir
}

// The name in /tmp is known, and anybody can be there first.
func TestNameThatIsTakenInTmpLocksNobodyOut(t *testing.T) {
	for what, take := range map[string]func(path string) error{
		"a file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"a link": func(path string) error { return os.Symlink("/", path) },
		"a directory of another": func(path string) error {
			if os.Geteuid() != 0 {
				return os.Symlink("/nowhere", path) // only root can give a directory away
			}
			return errors.Join(os.Mkdir(path, 0o700), os.Chown(path, 12345, 12345))
		},
	} {
		_, first, uid := tmpOf(t)
		if err := errors.Join(take(first), take(first+"-1")); err != nil {
			t.Fatal(err)
		}
		dir := finds(t, first, uid)
		if !strings.HasPrefix(dir, first+"-") || dir == first+"-1" {
			t.Errorf("%s: %s", what, dir)
		}
		if again := finds(t, first, uid); again != dir {
			t.Errorf("%s: then %s", what, again)
		}
		// The name becomes free, and brokers with the other one run.
		if err := os.Remove(first); err != nil {
			t.Fatal(err)
		}
		if again := finds(t, first, uid); again != dir {
			t.Errorf("%s, which goes: then %s", what, again)
		}
	}
}

func TestFirstNameInTmpIsKept(t *testing.T) {
	_, first, uid := tmpOf(t)
	for range 2 {
		if dir := finds(t, first, uid); dir != first {
			t.Errorf("%s", dir)
		}
	}
	if err := os.Chmod(first, 0o755); err != nil {
		t.Fatal(err)
	}
	if dir, err := dirInTmp(first, uid); !errors.Is(err, errOpenDir) {
		t.Errorf("one that others can enter: %s %v", dir, err)
	}
}

func TestBrokersThatBeginAtOnceHaveOneDirectory(t *testing.T) {
	for _, taken := range []bool{false, true} {
		tmp, first, uid := tmpOf(t)
		if taken {
			if err := os.WriteFile(first, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		found := map[string]int{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				dir, err := dirInTmp(first, uid)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				found[dir]++
				mu.Unlock()
			})
		}
		all.Wait()
		if len(found) != 1 {
			t.Errorf("taken %v: %v", taken, found)
		}
		if left, err := os.ReadDir(tmp); err != nil || taken && len(left) != 2 || !taken && len(left) != 1 {
			t.Errorf("taken %v: left %v %v", taken, left, err)
		}
	}
}
