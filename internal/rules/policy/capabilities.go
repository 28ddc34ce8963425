package policy

import (
	"slices"

	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// Sudo reports whether the user may become root inside. In an image that a user chose, no
// program gains privileges.
func (p *Plan) Sudo() bool { return p.Settings.Sudo && !p.ForeignImage() }

// capDrop returns the capabilities that nothing in a container made for who has. What a
// settings file says is done; the default depends on who.
//
// Root, where the administrator chose it, and users who become root by sudo may become other users,
// as apt-get and su do.
//
// Anybody else cannot have NET_RAW where no program gains privileges. Then it stays in the
// bounding set: execve(2) fails for a file that asks for a capability outside it, as ping
// does, even if the file would not get it, and ping needs none. In such a container a root
// of a later login has no capabilities with Docker, but with Podman all of the bounding
// set; so users who may choose root go without.
func (p *Plan) capDrop(who passwd.Identity, noNewPrivileges bool) []string {
	s := p.Settings
	if s.IsSet("capdrop") {
		return s.CapDrop
	}
	var stays []string
	switch {
	case who.UID == 0 && !s.FromUser("containerusername"), p.Sudo():
		stays = []string{"SETUID", "SETGID"}
	case who.UID != 0 && noNewPrivileges && s.Entrypoint == config.Internal && !s.UserMay("containerusername"):
		stays = []string{"NET_RAW"}
	}
	return slices.DeleteFunc(slices.Clone(s.CapDrop), func(c string) bool { return slices.Contains(stays, c) })
}
