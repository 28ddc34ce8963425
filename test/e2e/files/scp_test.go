//go:build e2e

package files

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// protocols are the client's options for each of the two.
var protocols = map[string]string{"sftp": "-s", "old": "-O"}

func TestSCPCopiesBothWays(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		for name, option := range protocols {
			t.Run(name, func(t *testing.T) {
				dir, remote := tree(t), fresh(t, u)
				ok(t, scp(t, u, dir, option, "-p", "tree/plain", "me:"+remote+"/named"))
				ok(t, scp(t, u, dir, option, "-r", "-p", "tree", "me:"+remote))
				if got := there(t, u, "cat %[1]s/named; stat -c %%a:%%Y %[1]s/named %[1]s/tree/sub/deep/er/y %[1]s/tree/empty | cut -c1-14", remote); !strings.HasPrefix(got, "this is plain\n644:1000000005\n444:1000000013\n700:") {
					t.Errorf("%q", got)
				}
				if err := os.Mkdir(dir+"/back", 0o755); err != nil {
					t.Fatal(err)
				}
				ok(t, scp(t, u, dir, option, "-r", "-p", "me:"+remote+"/tree", "back"))
				same(t, dir+"/back/tree", dir+"/tree", true)
				// Without -p, into a name that is not there yet.
				ok(t, scp(t, u, dir, option, "-r", "me:"+remote+"/tree/sub", "new"))
				if _, err := os.Stat(dir + "/new/deep/er/y"); err != nil {
					t.Error(err)
				}
				// A pattern is for the other side to expand.
				ok(t, scp(t, u, dir, option, "me:"+remote+"/tree/[pw]*", "back"))
				if _, err := os.Stat(dir + "/back/with space"); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestSCPSaysWhatIsNotThere(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		for name, option := range protocols {
			r := scp(t, u, t.TempDir(), option, "me:no-such-file", ".")
			if r.Status != 1 || !strings.Contains(r.Stderr, "no-such-file") || !strings.Contains(r.Stderr, "No such file") {
				t.Errorf("%s: status %d, stderr %q", name, r.Status, r.Stderr)
			}
			if r := scp(t, u, tree(t), option, "tree/plain", "me:/no/such/dir/x"); r.Status != 1 || r.Stderr == "" {
				t.Errorf("%s: status %d, stderr %q", name, r.Status, r.Stderr)
			}
		}
	})
}

// From one user's container into another's, through this side and past it.
func TestSCPCopiesFromOneContainerToAnother(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	other := e2e.NewUser(t)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		for name, option := range protocols {
			t.Run(name, func(t *testing.T) {
				dir, from, to := tree(t), fresh(t, u), fresh(t, other)
				ok(t, scp(t, u, dir, option, "-r", "-p", "tree", "me:"+from))
				ok(t, scp(t, u, dir, option, "-3", "-r", "-p", "me:"+from+"/tree", "scp://"+other.Name+"@127.0.0.1:"+e2e.Port+"/"+to))
				if err := os.Mkdir(dir+"/back", 0o755); err != nil {
					t.Fatal(err)
				}
				ok(t, scp(t, other, dir, option, "-r", "-p", "me:"+to+"/tree", "back"))
				same(t, dir+"/back/tree", dir+"/tree", true)
			})
		}
	})
}
