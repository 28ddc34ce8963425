//go:build e2e

package files

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// gitUser is a user in whose image nothing is but busybox and git.
func gitUser(t *testing.T) *e2e.Account {
	t.Helper()
	e2e.DockerImages.MakeImageWith(t, "dsh-git", "/usr/bin/git", "/usr/bin/git-upload-pack", "/usr/bin/git-receive-pack")
	return e2e.NewUser(t, "imagename = dsh-git")
}

func TestGitWhereTheImageHasIt(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, u := range []*e2e.Account{e2e.Plain, gitUser(t)} {
		t.Run(u.Name, func(t *testing.T) {
			e2e.CanLogIn(t, u)
			dir, remote := tree(t), fresh(t, u)
			there(t, u, "git init -q --bare --template= %s/r.git", remote)
			t.Setenv("GIT_SSH_COMMAND", strings.Join(append([]string{"ssh"}, e2e.ClientOptions("p")...), " "))
			t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
			t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			git := func(args ...string) string {
				t.Helper()
				r := run(t, dir, "", append([]string{"git", "-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...)
				if r.Status != 0 {
					t.Fatalf("%q: %+v", args, r)
				}
				return r.Stdout
			}
			url := u.Name + "@127.0.0.1:" + remote + "/r.git"
			write(t, dir+"/tree/big", strings.Repeat("0123456789abcdef", 1<<18))
			git("init", "-q", "tree")
			git("-C", "tree", "add", "-A")
			git("-C", "tree", "commit", "-q", "-m", "one")
			git("-C", "tree", "push", "-q", url, "HEAD:refs/heads/main")
			git("clone", "-q", "-b", "main", url, "clone")
			for _, name := range []string{"big", "with space", "sub/deep/er/y"} {
				got, err := os.ReadFile(dir + "/clone/" + name)
				want, _ := os.ReadFile(dir + "/tree/" + name)
				if err != nil || string(got) != string(want) {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			write(t, dir+"/clone/plain", "changed\n")
			git("-C", "clone", "commit", "-q", "-a", "-m", "two")
			git("-C", "clone", "push", "-q")
			git("-C", "tree", "pull", "-q", "--ff-only", url, "main")
			if b, err := os.ReadFile(dir + "/tree/plain"); err != nil || string(b) != "changed\n" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
}
