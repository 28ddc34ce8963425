//go:build e2e

package doctor

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Without names the doctor finds users by passwd, by a section, and by a block of sshd.
func TestDoctorFindsTheUsersByItself(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	v := e2e.NewAccount(t, "/bin/bash") // has a section of the settings
	w := e2e.NewAccount(t, "/bin/bash")
	w.Join(t, "dshclass")
	host := e2e.NewAccount(t, "/bin/bash", "hostshell = /bin/bash")
	if err := e2e.UnsetSection(`user "` + w.Name + `"`); err != nil {
		t.Fatal(err)
	}
	snippet, errs, status := e2e.Ctl(t, "sshd-config", "--group", "dshclass")
	if status != 0 {
		t.Fatal(errs)
	}
	e2e.WriteFile(t, "/etc/ssh/sshd_config.d/class.conf", snippet)
	t.Cleanup(func() { _ = os.Remove("/etc/ssh/sshd_config.d/class.conf") })
	var out string
	out, errs, status = e2e.Ctl(t, "doctor", "--json", "--no-login")
	var r struct{ Findings []finding }
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 1 {
		t.Fatalf("%v: %d %q %q", err, status, out, errs)
	}
	if f := find(r.Findings, "shell-reads-home"); f == nil || !slices.Contains(f.Users, w.Name) {
		t.Errorf("%s, for whom sshd runs dockersh: %+v", w.Name, r.Findings)
	}
	if f := find(r.Findings, "shell-of-the-host"); f == nil || !slices.Contains(f.Users, v.Name) {
		t.Errorf("%s, who has a section: %+v", v.Name, f)
	}
	for _, f := range r.Findings {
		if slices.Contains(f.Users, host.Name) {
			t.Errorf("%s has a shell of the host on purpose: %+v", host.Name, f)
		}
		if strings.HasPrefix(f.ID, "sshd-") && slices.Contains(f.Users, u.Name) {
			t.Errorf("%s: %+v", u.Name, f)
		}
	}
	for _, text := range []string{"Match User " + w.Name + "\n\tForceCommand " + e2e.Front + "\n", "ForceCommand " + e2e.Front + "\n"} {
		e2e.WriteFile(t, "/etc/ssh/sshd_config.d/class.conf", text)
		if out, _, _ := e2e.Ctl(t, "doctor", "--json", "--no-login"); !strings.Contains(out, `"`+w.Name+`"`) {
			t.Errorf("%q does not lead to %s: %s", text, w.Name, out)
		}
	}
}

// A group may have no more in the settings than a shell of the host for its members.
func TestLinesForSSHDLeaveAGroupWithAHostShellOut(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	op := e2e.NewAccount(t, "/bin/bash")
	op.Join(t, "dshops")
	both := e2e.NewAccount(t, e2e.Front)
	both.Join(t, "dshops")
	for _, a := range []*e2e.Account{op, both} {
		if err := e2e.UnsetSection(`user "` + a.Name + `"`); err != nil {
			t.Fatal(err)
		}
	}
	if err := e2e.SetSection(`group "dshops"`, "hostshell = /bin/bash"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e2e.UnsetSection(`group "dshops"`); err != nil {
			t.Error(err)
		}
	})
	users := func(args ...string) []string {
		t.Helper()
		out, errs, status := e2e.Ctl(t, append([]string{"sshd-config"}, args...)...)
		_, list, ok := strings.Cut(out, "\nMatch User ")
		list, _, _ = strings.Cut(list, "\n")
		if status != 0 || !ok {
			t.Fatalf("%d %q %q", status, out, errs)
		}
		return strings.Split(list, ",")
	}
	if got := users(); !slices.Contains(got, u.Name) || slices.Contains(got, op.Name) || slices.Contains(got, both.Name) {
		t.Errorf("%s and not %s or %s: %q", u.Name, op.Name, both.Name, got)
	}
	if got := users(op.Name, u.Name); !slices.Contains(got, op.Name) || !slices.Contains(got, u.Name) {
		t.Errorf("asked for both: %q", got)
	}
}
