package account

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestServicesThatAskTheNetworkAreNamed(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none")
	d := &DB{switchPath: filepath.Join(dir, "nsswitch.conf")}
	for _, c := range []struct {
		text   string
		nslcd  string
		answer []string
	}{
		{"", none, nil},
		{"passwd: files systemd sss\ngroup: files winbind\nhosts: files nis dns\n", none, nil},
		{"passwd: files nis\ngroup: files [NOTFOUND=return] nis\n", none, []string{"nis"}},
		{"initgroups: files ldap\n", none, []string{"ldap"}},
		{"initgroups: files ldap\n", socket, nil},
		{"group: compat hesiod # nisplus\n", socket, []string{"hesiod"}},
	} {
		if err := os.WriteFile(d.switchPath, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.nslcdPath = c.nslcd
		if got := d.AskTheNetwork(); !slices.Equal(got, c.answer) {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}
