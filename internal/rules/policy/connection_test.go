package policy

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/template"
)

func TestConnectionJoinsWhatTheAdministratorsSettingsName(t *testing.T) {
	u := account.User{Name: "alice", UID: 1001, GID: 1001, Home: "/home/alice"}
	for settings, want := range map[string]string{
		"":                                                       "",
		"network = none":                                         "",
		"network = host":                                         "host",
		"network = host\nephemeral":                              "host",
		"hostshell = /bin/sh":                                    "host",
		"containername = %u-%x":                                  "%x",
		"record = /srv/%x.cast":                                  "",
		"dockersocket = ssh://root@host":                         "another host",
		"enableuserconfig":                                       "",
		"enableusercontainername":                                "", // and ~/.dockersh is not read
		"adopt\ncontainername = hand-made":                       "",
		"enableuserconfig\nenableusercontainername":              "~/.dockersh",
		"enableuserconfig\nenableuserdockersocket":               "~/.dockersh",
		"enableuserconfig\nenableuserusercwd":                    "",
		"hostshell = /bin/sh\ncontainername = %x":                "host",
		"enableuserconfig\nenableuserimagename\nimagename = own": "",
	} {
		section := "[dockersh]"
		if strings.HasPrefix(settings, "hostshell") {
			section = `[user "alice"]`
		}
		file, err := config.Parse("rc", []byte(section+"\n"+settings+"\n"))
		if err != nil {
			t.Fatalf("%q: %v", settings, err)
		}
		written, err := file.Merge("alice", nil, nil)
		if err != nil {
			t.Fatalf("%q: %v", settings, err)
		}
		s, err := written.Expand(template.Vars{User: "alice", Home: u.Home, Shell: "/bin/sh", UID: 1001, GID: 1001, Address: "192.0.2.1",
			Key: "KEY", Session: "SESSION"})
		if err != nil {
			t.Fatalf("%q: %v", settings, err)
		}
		c, err := DecideConnection(u, nil, s, written)
		switch {
		case err == nil && want == "host" && c.OnHost, err == nil && want == "" && !c.OnHost:
			if shapes := strings.Contains(settings, "enableuserimagename"); c.KnownOnly != shapes {
				t.Errorf("%q: %+v", settings, c)
			}
		case want != "" && err != nil && strings.Contains(err.Error(), want):
		default:
			t.Errorf("%q: %+v %v, want %q", settings, c, err, want)
		}
	}
}
