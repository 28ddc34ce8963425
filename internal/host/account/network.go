package account

import (
	"os"
	"slices"
)

// nslcdSocket is where libnss-ldapd asks its daemon, nslcd(8). libnss-ldap has the same name in
// nsswitch.conf(5), and no daemon.
const nslcdSocket = "/run/nslcd/socket"

// AskTheNetwork returns those services for users and groups in nsswitch.conf(5) that ask over
// the network inside of each process that looks somebody up, and not by a daemon of this host.
func (d *DB) AskTheNetwork() (services []string) {
	text, _ := os.ReadFile(d.switchPath) // without it there is no such service
	for _, database := range []string{"passwd", "group", "initgroups"} {
		words, _ := switchLine(string(text), database)
		for _, w := range words {
			if d.asksTheNetwork(w) && !slices.Contains(services, w) {
				services = append(services, w)
			}
		}
	}
	return services
}

func (d *DB) asksTheNetwork(service string) bool {
	switch service {
	case "nis", "nisplus", "hesiod":
		return true
	case "ldap":
		_, err := os.Lstat(d.nslcdPath)
		return err != nil
	}
	return false
}
