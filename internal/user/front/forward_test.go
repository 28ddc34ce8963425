package front

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDisplayComesWithItsCookiesOrNotAtAll(t *testing.T) {
	home := t.TempDir()
	// For display 10 of any host: family, address, number, name and data.
	entry := "\xff\xff\x00\x00\x00\x0210\x00\x04name\x00\x04data"
	if err := os.WriteFile(filepath.Join(home, ".Xauthority"), []byte(entry), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(home, "other")
	if err := os.Symlink(filepath.Join(home, ".Xauthority"), other); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"DISPLAY=localhost:10.0"}, "localhost:10.0"},
		{[]string{"DISPLAY=localhost:10.0", "XAUTHORITY=" + filepath.Join(home, ".Xauthority")}, "localhost:10.0"},
		{[]string{"DISPLAY=localhost:11.0"}, ""},
		{[]string{"DISPLAY=:10.0"}, ""},
		{[]string{"DISPLAY=host:10.0"}, ""},
		{[]string{"DISPLAY=localhost:10.0", "XAUTHORITY=/none/such"}, ""},
		{[]string{"DISPLAY=localhost:10.0", "XAUTHORITY=/dev/zero"}, ""},
		{[]string{"DISPLAY=localhost:10.0", "XAUTHORITY=" + other}, ""},
	} {
		name, cookies := display(append(c.env, "HOME="+home))
		if name != c.want || string(cookies) != map[bool]string{true: entry}[c.want != ""] {
			t.Errorf("%q: %q, %q", c.env, name, cookies)
		}
	}
}

func TestDisplayIsForwardedOnlyBySSHD(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want bool
	}{
		{[]string{"DISPLAY=localhost:10.0", "SSH_CONNECTION=x"}, true},
		{[]string{"DISPLAY=:0"}, false},
		{[]string{"SSH_CONNECTION=x"}, false},
	} {
		if got := forwardsX11(c.env); got != c.want {
			t.Errorf("%q: %v", c.env, got)
		}
	}
}
