package front_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The families of addresses in an Xauthority file (X11/Xauth.h).
const (
	familyLocal = 256   // the address is the name of a host
	familyWild  = 65535 // any address
)

// entry is one of an Xauthority file: address, number, name and data.
func entry(family uint16, fields ...string) []byte {
	out := binary.BigEndian.AppendUint16(nil, family)
	for _, f := range fields {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(f))), f...)
	}
	return out
}

// filled returns a file of a size that ends with an entry.
func filled(last []byte, size int) []byte {
	return append(entry(0, "", "", "", strings.Repeat("x", size-len(last)-10)), last...)
}

// displayed returns the Start of a session with this environment. Its user has an Xauthority
// file in the home.
func displayed(t *testing.T, file []byte, env ...string) *wire.Start {
	t.Helper()
	home := tempDir(t)
	must(t, os.WriteFile(filepath.Join(home, ".Xauthority"), file, 0o600))
	_, start := asked(t, how{env: append(env, "HOME="+home, "SSH_CONNECTION=x")}, &wire.Ready{X11: true})
	if (start.Display == "") != (len(start.Cookies) == 0) {
		t.Errorf("%q with %q", start.Display, start.Cookies)
	}
	return start
}

func TestDisplayIsOneOfSSHD(t *testing.T) {
	t.Parallel()
	var all []byte
	for _, number := range []string{"10", "0", "99999", "007"} {
		all = append(all, entry(familyWild, "", number, "name", "for "+number)...)
	}
	for display, number := range map[string]string{
		"localhost:10.0": "10", "localhost:10": "10", "localhost:0.1": "0", "localhost:99999": "99999", "localhost:007.12345": "007", "localhost:11": "",
		":0": "", "unix:10": "", "host:10.0": "", "localhost:": "", "localhost:.0": "", "localhost:10.": "", "localhost:10.123456": "", "localhost": "",
		"localhost:x": "", "localhost:10.0.0": "", "localhost:123456": "", "localhost:-1": "", "/tmp/x:10": "", "localhost:1O": "", "Localhost:10": "", "localhost::10": "",
		"localhost:10\n": "",
	} {
		start := displayed(t, all, "DISPLAY="+display)
		want := []byte(nil)
		if number != "" {
			want = entry(familyWild, "", number, "name", "for "+number)
		}
		if !bytes.Equal(start.Cookies, want) || start.Display != map[bool]string{true: display}[number != ""] {
			t.Errorf("%q: %q, %q", display, start.Display, start.Cookies)
		}
	}
}

func TestCookiesAreThoseOfTheDisplayAtThisHost(t *testing.T) {
	t.Parallel()
	here, err := os.Hostname()
	must(t, err)
	const name = "MIT-MAGIC-COOKIE-1"
	wanted := entry(familyWild, "", "10", name, "\x00\x01secret")
	local := func(data string) []byte { return entry(familyLocal, here, "10", name, data) }
	for what, c := range map[string]struct{ file, want []byte }{
		"none":                           {nil, nil},
		"of this host":                   {local("\x00\x01secret"), wanted},
		"of any host":                    {entry(familyWild, "", "10", name, "\x00\x01secret"), wanted},
		"of any host with an address":    {entry(familyWild, "there", "10", name, "\x00\x01secret"), wanted},
		"of any display":                 {entry(familyWild, "", "", name, "\x00\x01secret"), wanted},
		"of another host":                {entry(familyLocal, here+"x", "10", name, "secret"), nil},
		"of the beginning of a host":     {entry(familyLocal, here[:1], "10", name, "secret"), nil},
		"of no host":                     {entry(familyLocal, "", "10", name, "secret"), nil},
		"of an address":                  {entry(0, "\x7f\x00\x00\x01", "10", name, "secret"), nil},
		"of another display":             {entry(familyLocal, here, "11", name, "secret"), nil},
		"of a longer display":            {entry(familyLocal, here, "101", name, "secret"), nil},
		"cut off":                        {local("secret")[:20], nil},
		"cut off by a byte":              {local("secret")[:len(local("secret"))-1], nil},
		"one byte":                       {[]byte{255}, nil},
		"damaged behind itself":          {append(local("\x00\x01secret"), 1, 0, 255, 255, 1), wanted},
		"a family behind itself":         {append(local("\x00\x01secret"), 1, 0), wanted},
		"two":                            {append(local("\x00\x01secret"), local("")...), append(bytes.Clone(wanted), entry(familyWild, "", "10", name, "")...)},
		"empty names":                    {entry(familyWild, "", "10", "", ""), entry(familyWild, "", "10", "", "")},
		"behind others":                  {append(bytes.Repeat(entry(1, "x", "10", name, "y"), 100), local("\x00\x01secret")...), wanted},
		"one that does not fit":          {append(local(strings.Repeat("x", wire.MaxCookies)), local("\x00\x01secret")...), wanted},
		"one that fits just so":          {local(strings.Repeat("x", wire.MaxCookies-30)), entry(familyWild, "", "10", name, strings.Repeat("x", wire.MaxCookies-30))},
		"the largest field":              {append(local(strings.Repeat("x", 65000)), local("\x00\x01secret")...), wanted},
		"the largest file":               {filled(local("\x00\x01secret"), 64<<10), wanted},
		"a larger file":                  {filled(local("\x00\x01secret"), 64<<10+1), nil},
		"a length behind the whole file": {[]byte{1, 0, 255, 255, 'x'}, nil},
	} {
		if got := displayed(t, c.file, "DISPLAY=localhost:10.0").Cookies; !bytes.Equal(got, c.want) {
			t.Errorf("%s: %d bytes %.100q, want %d bytes %.100q", what, len(got), got, len(c.want), c.want)
		}
	}
	many := bytes.Repeat(local(strings.Repeat("x", 100)), 100)
	one := entry(familyWild, "", "10", name, strings.Repeat("x", 100))
	if got := displayed(t, many, "DISPLAY=localhost:10.0").Cookies; !bytes.Equal(got, bytes.Repeat(one, wire.MaxCookies/len(one))) {
		t.Errorf("%d bytes", len(got))
	}
}

func TestDisplayComesWithItsCookiesOrNotAtAll(t *testing.T) {
	t.Parallel()
	file := entry(familyWild, "", "10", "name", "data")
	dir := tempDir(t)
	other, link, fifo := filepath.Join(dir, "other"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	must(t, os.WriteFile(other, file, 0o600))
	must(t, os.Symlink(other, link))
	must(t, unix.Mkfifo(fifo, 0o600))
	for path, want := range map[string]bool{"": true, other: true, "/none/such": false, "/dev/zero": false, link: false, fifo: false, dir: false, "relative": false} {
		if start := displayed(t, file, "DISPLAY=localhost:10.0", "XAUTHORITY="+path); (start.Display != "") != want {
			t.Errorf("%q: %+v", path, start)
		}
	}
	if start := displayed(t, nil, "DISPLAY=localhost:10.0", "XAUTHORITY="+other); !bytes.Equal(start.Cookies, file) {
		t.Errorf("%q", start.Cookies)
	}
	// The settings, or an agent, may not allow it.
	home := filepath.Dir(other)
	must(t, os.Rename(other, filepath.Join(home, ".Xauthority")))
	env := []string{"HOME=" + home, "DISPLAY=localhost:10.0", "SSH_CONNECTION=x"}
	if login, start := asked(t, how{env: env}, &wire.Ready{}); !login.X11 || start.Display != "" || len(start.Cookies) > 0 {
		t.Errorf("%+v", start)
	}
	if login, start := asked(t, how{env: env[:2]}, &wire.Ready{X11: true}); login.X11 || start.Display != "" {
		t.Errorf("%+v", start)
	}
}
