package account

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestServicesThatAskTheNetworkAreNamed(t *testing.T) {
	was := nslcdSocket
	t.Cleanup(func() { nslcdSocket = was })
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &DB{switchPath: filepath.Join(dir, "nsswitch.conf")}
	for _, c := range []struct {
		text   string
		nslcd  string
		answer []string
	}{
		{"", "", nil},
		{"passwd: files systemd sss\ngroup: files winbind\nhosts: files nis dns\n", "", nil},
		{"passwd: files nis\ngroup: files [NOTFOUND=return] nis\n", "", []string{"nis"}},
		{"initgroups: files ldap\n", "", []string{"ldap"}},
		{"initgroups: files ldap\n", socket, nil},
		{"group: compat hesiod # nisplus\n", socket, []string{"hesiod"}},
	} {
		if err := os.WriteFile(d.switchPath, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		nslcdSocket = filepath.Join(dir, "none")
		if c.nslcd != "" {
			nslcdSocket = c.nslcd
		}
		if got := d.AskTheNetwork(); !slices.Equal(got, c.answer) {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}
