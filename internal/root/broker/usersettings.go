package broker

import (
	"context"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// userSettings finds the settings of users in the administrator's file.
type userSettings struct {
	file  settings.Reader
	users *account.DB
}

// ofLogin returns the settings of a login. The address and the key are found
// out only if the settings use them.
func (s *userSettings) ofLogin(ctx context.Context, user account.User,
	f *front, req *wire.Login, id string) (*settings.Effective, error) {
	file, err := s.file.Load()
	if err != nil {
		return nil, err
	}
	return settings.For(file, settings.Login{
		User:     user,
		MemberOf: func(groups []string) ([]string, error) { return s.users.MemberOf(ctx, user, groups) },
		UserFile: func() ([]byte, error) { return req.UserFile, settings.UserFileError(user, printable.Line(req.UserErr)) },
		Address: func() (string, error) {
			addr, err := sshd.Address(f.process)
			return addr.String(), err
		},
		Key:     func() (string, error) { return sshd.Key(string(req.AuthInfo)) },
		Session: id,
	})
}

// byAdmin returns the administrator's settings for a user, without ~/.dockersh;
// nil if they cannot be known.
func (s *userSettings) byAdmin(ctx context.Context, uid uint32) *config.Settings {
	user, err := s.users.ByUID(ctx, uid)
	if err != nil {
		return nil
	}
	file, err := s.file.Load()
	if err != nil {
		return nil
	}
	effective, err := settings.For(file, settings.Login{ // address, key and session are not part of a hash
		User:     user,
		MemberOf: func(groups []string) ([]string, error) { return s.users.MemberOf(ctx, user, groups) },
	})
	if err != nil {
		return nil
	}
	return effective.Admins
}

// allEngines returns the engines that the settings name.
func (s *userSettings) allEngines() ([]engine.Address, error) {
	file, err := s.file.Load()
	if err != nil {
		return nil, err
	}
	return policy.Engines(file)
}
