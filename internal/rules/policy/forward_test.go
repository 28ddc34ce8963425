package policy

import (
	"strings"
	"testing"
)

func TestAgentIsForwardedWhereNobodyElseBecomesTheContainerUser(t *testing.T) {
	const gates = "[dockersh]\nenableuserconfig\nenableusercontainername\nenableusercontainerusername\n"
	for _, c := range []struct {
		what, file, own string
		forwards        bool
	}{
		{"a container of their own", "", "", true},
		{"of their own, as root", "[dockersh]\ncontainerusername = root", "", true},
		{"of their own by uid", "[dockersh]\ncontainername = x%U\ncontainerusername = root", "", true},
		{"of one session", "[dockersh]\ncontainername = x%x\ncontainerusername = root", "", true},
		{"that the user named", gates, "[dockersh]\ncontainername = mine\ncontainerusername = root", true},
		{"a shared one, as themselves", "[dockersh]\ncontainername = classroom", "", true},
		{"a shared one, as somebody", "[dockersh]\ncontainername = classroom\ncontainerusername = student", "", false},
		{"a shared one, as a number", "[dockersh]\ncontainername = classroom\ncontainerusername = 1001", "", false},
		{"one for each address, as root", "[dockersh]\ncontainername = %i\ncontainerusername = root", "", false},
		{"one for each group, as root", "[dockersh]\ncontainername = g%G\ncontainerusername = root", "", false},
		{"a shared one, by a name from ~/.dockersh", gates + "containername = classroom", "[dockersh]\ncontainerusername = student", false},
		{"a shared one, with the administrator's word", "[dockersh]\ncontainername = classroom\ncontainerusername = student\nforwardagent", "", true},
		{"a container of their own, where it is off", "[dockersh]\nforwardagent = false", "", false},
		{"on for all, and off for the user", "[dockersh]\nforwardagent\n[user \"alice\"]\nforwardagent = no", "", false},
	} {
		if got := plan(t, alice, c.file, c.own).ForwardsAgent(); got != c.forwards {
			t.Errorf("%s: %v", c.what, got)
		}
		file := strings.ReplaceAll(c.file, "forwardagent", "forwardx11")
		if got := plan(t, alice, file, c.own).ForwardsX11(); got != c.forwards {
			t.Errorf("%s: X11: %v", c.what, got)
		}
	}
}
