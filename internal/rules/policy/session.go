package policy

import (
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// Session is what of a plan counts as long as the session lives, and at its end. A plan is
// large, for the places of all settings in their files.
type Session struct {
	HostShell   string // as in Plan
	Container   string // name
	Engine      engine.Address
	MayNeedExec bool
	IdleTimeout time.Duration // 0: never
	Log         string        // as in the settings
}

// Session returns what of the plan counts once its login has succeeded.
func (p *Plan) Session() *Session {
	return &Session{p.HostShell, p.Container, p.Engine(), p.MayNeedExec(), p.Settings.IdleTimeout, p.Settings.Log}
}
