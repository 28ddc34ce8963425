// Package installed reads the settings file of this host and looks up its users as the
// brokers do: what a broker refuses, the administrator's programs report. It also
// finds the containers that no login can enter, as their user is gone.
package installed

import (
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/seen"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// Settings returns the settings file; nil if there is none and the built-in defaults
// count. The error is the one that a login shows.
func Settings() (*config.File, error) {
	return (&settings.Reader{Paths: paths.Settings(), Seen: seen.Dir(paths.Run + "/seen").ReadOnly()}).Load()
}

// Accounts returns the host's users and groups. Answers are valid for ttl, as for
// account.New.
func Accounts(ttl time.Duration) *account.DB {
	db := account.New(ttl)
	db.KnownServices = seen.Dir(paths.Services()).ReadOnly()
	return db
}
