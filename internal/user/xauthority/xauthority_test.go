package xauthority

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestDisplayIsOneOfSSHD(t *testing.T) {
	for display, want := range map[string]string{
		"localhost:10.0": "10", "localhost:10": "10", "localhost:0.1": "0", "localhost:99999": "99999",
		"": "", ":0": "", "unix:10": "", "host:10.0": "", "localhost:": "", "localhost:.0": "", "localhost:10.": "",
		"localhost:x": "", "localhost:10.0.0": "", "localhost:123456": "", "localhost:-1": "", "/tmp/x:10": "",
	} {
		got, ok := Number(display)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", display, got, ok)
		}
	}
}

// entry is one of a file.
func entry(family uint16, fields ...string) []byte {
	out := binary.BigEndian.AppendUint16(nil, family)
	for _, f := range fields {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(f))), f...)
	}
	return out
}

func TestCookiesAreThoseOfTheDisplayAtThisHost(t *testing.T) {
	const name = "MIT-MAGIC-COOKIE-1"
	wanted := entry(familyWild, "", "10", name, "\x00\x01secret")
	for what, c := range map[string]struct{ file, want []byte }{
		"none":                  {nil, nil},
		"of this host":          {entry(familyLocal, "here", "10", name, "\x00\x01secret"), wanted},
		"of any host":           {entry(familyWild, "", "10", name, "\x00\x01secret"), wanted},
		"of any display":        {entry(familyWild, "", "", name, "\x00\x01secret"), wanted},
		"of another host":       {entry(familyLocal, "there", "10", name, "secret"), nil},
		"of an address":         {entry(0, "\x7f\x00\x00\x01", "10", name, "secret"), nil},
		"of another display":    {entry(familyLocal, "here", "11", name, "secret"), nil},
		"cut off":               {entry(familyLocal, "here", "10", name, "secret")[:20], nil},
		"damaged behind itself": {append(entry(familyLocal, "here", "10", name, "\x00\x01secret"), 1, 0, 255, 255, 1), wanted},
	} {
		if got := Cookies(c.file, "10", "here"); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	many := bytes.Repeat(entry(familyLocal, "here", "10", name, strings.Repeat("x", 100)), 100)
	if got := Cookies(many, "10", "here"); len(got) == 0 || len(got) > wire.MaxCookies {
		t.Errorf("%d bytes", len(got))
	}
}

// As sshd does, and X clients.
func TestFileIsThatOfXauth(t *testing.T) {
	xauth, err := exec.LookPath("xauth")
	if err != nil {
		t.Skip("xauth is not installed")
	}
	file, made := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	const cookie = "00112233445566778899aabbccddeeff"
	if out, err := exec.Command(xauth, "-q", "-f", file, "add", "unix:10.0", "MIT-MAGIC-COOKIE-1", cookie).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(made, Cookies(data, "10", hostname), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(xauth, "-f", made, "nlist").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "ffff 0000  0002 3130 ") || !strings.Contains(string(out), cookie) {
		t.Errorf("%v: %s", err, out)
	}
}

// What comes out can be read again, and has no cookie of another display.
func FuzzCookies(f *testing.F) {
	f.Add(entry(familyLocal, "here", "10", "name", "data"))
	f.Add(append(entry(familyWild, "", "", "name", ""), entry(0, "a", "b", "c", "d")...))
	f.Fuzz(func(t *testing.T, file []byte) {
		out := Cookies(file, "10", "here")
		if len(out) > wire.MaxCookies {
			t.Fatalf("%d bytes", len(out))
		}
		if again := Cookies(out, "10", "elsewhere"); !bytes.Equal(again, out) {
			t.Fatalf("%q became %q", out, again)
		}
		if other := Cookies(out, "11", "here"); len(other) > 0 {
			t.Fatalf("%q is for all displays", out)
		}
	})
}
