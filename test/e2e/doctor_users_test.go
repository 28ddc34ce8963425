//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// Whom nobody names: by passwd, by a section, by a block of sshd's.
func TestDoctorFindsTheUsersByItself(t *testing.T) {
	u := sound(t)
	v := newUser(t, "/bin/bash") // a section of the settings
	w := newUser(t, "/bin/bash")
	w.join(t, "dshclass")
	host := newUser(t, "/bin/bash", "hostshell = /bin/bash")
	if err := unset(`user "` + w.name + `"`); err != nil {
		t.Fatal(err)
	}
	snippet, errs, status := ctl(t, "sshd-config", "--group", "dshclass")
	if status != 0 {
		t.Fatal(errs)
	}
	write(t, "/etc/ssh/sshd_config.d/class.conf", snippet)
	t.Cleanup(func() { _ = os.Remove("/etc/ssh/sshd_config.d/class.conf") })
	var out string
	out, errs, status = ctl(t, "doctor", "--json", "--no-login")
	var r struct{ Findings []finding }
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 1 {
		t.Fatalf("%v: %d %q %q", err, status, out, errs)
	}
	if f := find(r.Findings, "shell-reads-home"); f == nil || !slices.Contains(f.Users, w.name) {
		t.Errorf("%s, whom sshd leads to dockersh: %+v", w.name, r.Findings)
	}
	if f := find(r.Findings, "shell-of-the-host"); f == nil || !slices.Contains(f.Users, v.name) {
		t.Errorf("%s, whom a section names: %+v", v.name, f)
	}
	for _, f := range r.Findings {
		if slices.Contains(f.Users, host.name) {
			t.Errorf("%s has a shell of the host by intention: %+v", host.name, f)
		}
		if strings.HasPrefix(f.ID, "sshd-") && slices.Contains(f.Users, u.name) {
			t.Errorf("%s: %+v", u.name, f)
		}
	}
	for _, text := range []string{"Match User " + w.name + "\n\tForceCommand " + front + "\n", "ForceCommand " + front + "\n"} {
		write(t, "/etc/ssh/sshd_config.d/class.conf", text)
		if out, _, _ := ctl(t, "doctor", "--json", "--no-login"); !strings.Contains(out, `"`+w.name+`"`) {
			t.Errorf("%q does not lead to %s: %s", text, w.name, out)
		}
	}
}
