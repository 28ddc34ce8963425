package handles

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// opened opens a file of a new table.
func opened(t *testing.T, table *Table, name string, flags int) string {
	t.Helper()
	h, err := table.Open(name, flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.CloseAll)
	return h
}

func TestCopyWritesWhereItIsTold(t *testing.T) {
	t.Chdir(t.TempDir())
	data := bytes.Repeat([]byte("0123456789"), 1000)
	for _, c := range []struct {
		from   int64
		length uint64
		to     int64
		want   string
		err    error
	}{
		{0, 0, 0, string(data), nil},
		{5, 10, 3, "\x00\x00\x005678901234", nil},
		{9_990, 0, 0, "0123456789", nil},
		{9_990, 11, 0, "0123456789", io.EOF},
		{20_000, 0, 0, "", nil},
		{-1, 1, 0, "", unix.EINVAL},
	} {
		if err := os.WriteFile("from", data, 0o600); err != nil {
			t.Fatal(err)
		}
		var table Table
		from, to := opened(t, &table, "from", unix.O_RDONLY), opened(t, &table, "to", unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
		if err := table.Copy(from, c.from, c.length, to, c.to, make([]byte, 7)); !errors.Is(err, c.err) {
			t.Errorf("%+v: %v", c, err)
		}
		if got, err := os.ReadFile("to"); string(got) != c.want {
			t.Errorf("%d bytes, %v, want %d", len(got), err, len(c.want))
		}
	}
}

// Such a copy would read what it writes, for ever.
func TestFileIsNotCopiedIntoItself(t *testing.T) {
	t.Chdir(t.TempDir())
	var table Table
	w := opened(t, &table, "f", unix.O_RDWR|unix.O_CREAT)
	if err := table.Write(w, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("f", "g"); err != nil {
		t.Fatal(err)
	}
	other := opened(t, &table, "g", unix.O_RDONLY)
	for _, from := range []string{w, other} {
		if table.Copy(from, 0, 0, w, 1, make([]byte, 1)) == nil {
			t.Error("it was copied")
		}
	}
}

func TestHandlesEndWithTheirFile(t *testing.T) {
	t.Chdir(t.TempDir())
	var table Table
	h := opened(t, &table, "f", unix.O_RDWR|unix.O_CREAT)
	if err := table.Close(h); err != nil || table.Has(h) {
		t.Error(err)
	}
	again := opened(t, &table, "f", unix.O_RDWR)
	if again == h {
		t.Error("a handle is used twice")
	}
	for _, h := range []string{h, "", "f0", "1"} {
		_, readErr := table.Read(h, make([]byte, 1), 0)
		_, statErr := table.Stat(h)
		for what, err := range map[string]error{
			"read": readErr, "stat": statErr, "write": table.Write(h, []byte("x"), 0), "sync": table.Sync(h), "close": table.Close(h),
			"set": table.Set(h, Attrs{HasMode: true}), "times": table.Set(h, Attrs{HasTimes: true}),
			"copy to": table.Copy(again, 0, 0, h, 0, nil), "copy from": table.Copy(h, 0, 0, again, 0, nil),
		} {
			if err == nil {
				t.Errorf("%s of %q: no error", what, h)
			}
		}
	}
	table.CloseAll()
	if table.Has(again) {
		t.Error("a file is still open")
	}
}

func TestAttributesAreThoseOfTheOpenFile(t *testing.T) {
	t.Chdir(t.TempDir())
	var table Table
	h := opened(t, &table, "f", unix.O_RDWR|unix.O_CREAT)
	if err := errors.Join(os.Rename("f", "g"), os.WriteFile("f", []byte("another"), 0o600)); err != nil {
		t.Fatal(err)
	}
	a := Attrs{HasSize: true, Size: 5, HasMode: true, Mode: 0o640, HasTimes: true, ATime: 1, MTime: 1<<31 + 2, HasOwner: true, UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
	if err := table.Set(h, a); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat("g")
	if err != nil || st.Size() != 5 || st.Mode() != 0o640 || st.ModTime().Unix() != 1<<31+2 {
		t.Errorf("%+v, %v", st, err)
	}
	if text, err := os.ReadFile("f"); string(text) != "another" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAttributesOfALinkAreItsOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	when := time.Unix(1000, 0)
	if err := errors.Join(os.WriteFile("f", nil, 0o600), os.Chtimes("f", when, when), os.Symlink("f", "l")); err != nil {
		t.Fatal(err)
	}
	owner := Attrs{HasOwner: true, UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
	if err := errors.Join(SetLink("l", Attrs{HasTimes: true, MTime: 2000}), SetLink("l", owner), SetLink("f", Attrs{HasMode: true, Mode: 0o640})); err != nil {
		t.Fatal(err)
	}
	link, linkErr := os.Lstat("l")
	file, fileErr := os.Lstat("f")
	if err := errors.Join(linkErr, fileErr); err != nil {
		t.Fatal(err)
	}
	if link.ModTime().Unix() != 2000 || file.ModTime().Unix() != 1000 || file.Mode() != 0o640 {
		t.Errorf("%v, %v", link, file)
	}
	if err := SetLink("l", Attrs{HasMode: true, Mode: 0o777}); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Error(err)
	}
	if err := SetLink("f", Attrs{HasSize: true}); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if m, _ := os.Lstat("f"); m.Mode() != 0o640 {
		t.Errorf("the mode of the link's target is %v", m.Mode())
	}
}

func TestAppendedBytesGoToTheEnd(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	var table Table
	h := opened(t, &table, name, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND)
	if err := errors.Join(table.Write(h, []byte("one"), 0), table.Write(h, []byte("two"), 0), table.Sync(h)); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(name); string(text) != "onetwo" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestNamesWithANullAreRefused(t *testing.T) {
	var table Table
	if _, err := table.Open("f\x00", unix.O_RDONLY, 0); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if err := SetLink(strings.Repeat("x", 5000), Attrs{HasMode: true}); !errors.Is(err, unix.ENAMETOOLONG) {
		t.Error(err)
	}
}
