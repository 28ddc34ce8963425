package broker

import (
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// source is what a login can be told by, besides its user.
type source struct {
	pid int32  // of the front, from the kernel
	id  string // of the session
}

// tell fills in what the settings ask of this login, and finds out no more than
// that. What cannot be found out refuses it: two who are to be kept apart must not
// meet in an empty name.
func (from source) tell(s *config.Settings, req *wire.Login, v *config.Vars) error {
	v.Session = from.id
	if s.HostShell != "" { // break-glass: where he comes from must not shut it
		v.Address, v.Key = "none", "none"
		return nil
	}
	if s.Uses('i') {
		addr, err := sshd.Address(int(from.pid))
		if err != nil {
			return usererr.New(usererr.Denied, "the setting "+s.UsedBy('i')+" asks for the client's address, and this login has none",
				"log in over ssh", err)
		}
		v.Address = addr.String()
	}
	if s.Uses('k') {
		key, err := sshd.Key(string(req.AuthInfo))
		if err != nil {
			return usererr.New(usererr.Denied, "the setting "+s.UsedBy('k')+" asks for the key you log in with, and sshd tells none",
				"log in with a key; the administrator sets ExposeAuthInfo yes in sshd_config", err)
		}
		v.Key = key
	}
	return nil
}
