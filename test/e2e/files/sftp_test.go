//go:build e2e

package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestSFTPBatch(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		dir, remote := tree(t), fresh(t, u)
		out := ok(t, sftp(t, u, dir, strings.ReplaceAll(`
			cd DIR
			mkdir a
			put -p tree/plain a/f1
			put tree/plain a/f2
			put "tree/with space" a
			ls -1 a/f*
			chmod 600 a/f2
			rename a/f2 a/f3
			ln a/f3 a/hard
			ln -s f3 a/soft
			ls -l a/f3
			get a/soft copy
			rm a/hard
			mkdir gone
			rmdir gone
			df -h .
			pwd
			put -pR tree
			get -pR tree back
		`, "DIR", remote)))
		for _, want := range []string{"a/f1", "-rw-------", "Remote working directory: " + remote} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
		same(t, dir+"/back", dir+"/tree", true)
		if text, err := os.ReadFile(dir + "/copy"); err != nil || string(text) != "this is plain\n" {
			t.Errorf("%q, %v", text, err)
		}
		got := there(t, u, "cd %s/a; ls; stat -c '%%a %%h' f3; stat -c %%Y f1; readlink soft", remote)
		if got != "f1\nf3\nsoft\nwith space\n600 1\n1000000005\nf3\n" {
			t.Errorf("%q", got)
		}
	})
}

// Each of these commands needs a request that only OpenSSH's server has from the beginning.
func TestSFTPExtensions(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		dir, remote := tree(t), fresh(t, u)
		group := strings.TrimSpace(there(t, u, "id -g"))
		r := sftp(t, u, dir, strings.NewReplacer("DIR", remote, "GROUP", group).Replace(`
			cd DIR
			put -f tree/plain f
			cp f g
			chmod -h 640 g
			ln -s f l
			chgrp -h GROUP l
			-chmod -h 600 l
			-cp f f
			-cp no h
			get g back
		`), "-vvv")
		if b, err := os.ReadFile(dir + "/back"); err != nil || string(b) != "this is plain\n" || r.Status != 0 {
			t.Errorf("%q, %v, %+v", b, err, r)
		}
		for _, want := range []string{"fsync@openssh.com", "copy-data", "lsetstat@openssh.com", "limits@openssh.com", "expand-path@openssh.com",
			"posix-rename@openssh.com", "statvfs@openssh.com", "hardlink@openssh.com", "fstatvfs@openssh.com", "home-directory",
			"users-groups-by-id@openssh.com"} {
			if !strings.Contains(r.Stderr, "extension \""+want+"\"") { // a client may not know it
				t.Error("no " + want)
			}
		}
		if !strings.Contains(r.Stderr, "fsync@openssh.com I:") {
			t.Errorf("no fsync: %s", r.Stderr)
		}
		if got := there(t, u, "cd %s; cat g; stat -c %%a f g; readlink l", remote); got != "this is plain\n644\n640\nf\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestSFTPResumes(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		dir, remote := t.TempDir(), fresh(t, u)
		whole := strings.Repeat("0123456789abcdef", 1<<16)
		write(t, dir+"/f", whole)
		ok(t, e2e.SSHInput(t, u, strings.NewReader(whole[:300_000]), "cat >"+remote+"/f"))
		ok(t, sftp(t, u, dir, "reput f "+remote+"/f\n"))
		write(t, dir+"/g", whole[:200_000])
		ok(t, sftp(t, u, dir, "reget "+remote+"/f g\n"))
		if b, err := os.ReadFile(dir + "/g"); err != nil || string(b) != whole {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})
}

func TestSFTPErrorsAreThoseOfOpenSSH(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	batch := "-get no/such x\n-mkdir sub\n-mkdir sub\n-rmdir no\n-rm sub\n-put plain no/such/x\n-rename plain no/such/x\n-ls no\n-chmod 600 no\n-cd no\n-ln -s x sub\n-put plain\n-rename -l plain sub\n-rmdir plain\n-ln -s plain l\n-chmod -h 600 l\n-chmod -h 600 no\n-cp plain plain\n-cp no x\n-cp plain no/x\n-chgrp -h 0 plain\n"
	var want string
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		dir, remote := t.TempDir(), fresh(t, u)
		write(t, dir+"/plain", "x")
		r := sftp(t, u, dir, "cd "+remote+"\n"+batch)
		got := strings.ReplaceAll(r.Stderr, remote, "DIR")
		if u == e2e.Plain {
			want = got
		} else if got != want || r.Status != 0 {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// With DOCKERSH_SLOW set there are 10,000 of them.
func TestManySmallFiles(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	n := 1000
	if os.Getenv("DOCKERSH_SLOW") != "" {
		n = 10_000
	}
	dir := t.TempDir()
	for i := range n {
		path := fmt.Sprintf("%s/many/%d/%d", dir, i%10, i)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, fmt.Sprint("file ", i))
	}
	forEachUser(t, func(t *testing.T, u *e2e.Account) {
		remote, back := fresh(t, u), t.TempDir()
		ok(t, sftp(t, u, dir, "put -R many "+remote+"\n"))
		ok(t, sftp(t, u, back, "get -R "+remote+"/many\n"))
		same(t, back+"/many", dir+"/many", false)
	})
}

// 2 GiB, of which a few bytes are data; the last one counts.
func TestBigSparseFile(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, u := range []*e2e.Account{e2e.Plain, e2e.Tiny} {
		t.Run(u.Name, func(t *testing.T) {
			remote, dir := fresh(t, u), t.TempDir()
			const size = 2<<30 + 1
			there(t, u, "cd %s; printf x | dd of=big bs=1 seek=%d conv=notrunc 2>/dev/null", remote, size-1)
			ok(t, sftp(t, u, dir, "get "+remote+"/big\n"))
			f, err := os.Open(dir + "/big")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			last := make([]byte, 1)
			if n, err := f.ReadAt(last, size-1); n != 1 || last[0] != 'x' {
				t.Errorf("%d, %q, %v", n, last, err)
			}
		})
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
