package broker

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// userSettings finds the settings of users in the administrator's file.
type userSettings struct {
	file  settings.Reader
	users *account.DB
	key   func(uid uint32, front proc.Stat, info string) (string, error) // of a login
}

// of returns the settings of a login, of which the groups are looked up.
func (s *userSettings) of(ctx context.Context, l settings.Login) (*settings.Effective, error) {
	file, err := s.file.Load()
	if err != nil {
		return nil, err
	}
	l.MemberOf = func(groups []string) ([]string, error) { return s.users.MemberOf(ctx, l.User, groups) }
	return settings.For(file, l)
}

// ofLogin returns the settings of a login. The address and the key are found
// out only if the settings use them.
func (s *userSettings) ofLogin(ctx context.Context, user account.User,
	f *front, req *wire.Login, id string) (*settings.Effective, error) {
	var failed error // nothing to go on without
	effective, err := s.of(ctx, settings.Login{
		User: user,
		UserFile: func(dir string) ([]byte, error) {
			text, problem := req.UserFile, req.UserErr
			if dir != "" {
				text, problem, failed = f.readFile(dir)
			}
			return text, settings.UserFileError(user, printable.Line(problem))
		},
		Address: func() (string, error) {
			addr, err := sshd.Address(f.process)
			return addr.String(), err
		},
		Key:     func() (string, error) { return s.key(f.uid, f.process, string(req.AuthInfo)) },
		Session: id,
	})
	if failed != nil {
		return nil, failed
	}
	return effective, err
}

// readFile has the front read the .dockersh in a directory, with the user's rights. A broker
// whose login another one may have to carry out leaves it to that one: it must not take more
// than the login from the socket.
func (f *front) readFile(dir string) (text []byte, problem string, err error) {
	if _, peeks := f.Socket.(*peekConn); peeks {
		return nil, "", engine.ErrNoClient
	}
	f.Within(answerLimit)
	if err := f.Send(&wire.ReadFile{Dir: dir}); err != nil {
		return nil, "", err
	}
	m, fds, err := f.Recv()
	if err != nil {
		return nil, "", err
	}
	seqpacket.CloseAll(fds)
	answer, ok := m.(*wire.UserFile)
	if !ok {
		return nil, "", usererr.New(usererr.Protocol, "the dockersh service did not expect this",
			"ask the administrator to run: systemctl restart dockershd", nil)
	}
	return answer.UserFile, answer.UserErr, nil
}

// byAdmin returns the administrator's settings for a user, without ~/.dockersh;
// nil if they cannot be known.
func (s *userSettings) byAdmin(ctx context.Context, uid uint32) *config.Settings {
	user, err := s.users.ByUID(ctx, uid)
	if err != nil {
		return nil
	}
	effective, err := s.of(ctx, settings.Login{User: user}) // address, key and session are not part of a hash
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

// recordLimits returns how much space recordings may take.
func (s *userSettings) recordLimits() ([]policy.RecordLimit, error) {
	file, err := s.file.Load()
	if err != nil {
		return nil, err
	}
	return policy.RecordLimits(file)
}

// decide makes the plan of a login. A ~/.dockersh that asks for what is not allowed is ignored.
func decide(user account.User, groups []uint32, effective *settings.Effective, req *wire.Login) (*policy.Plan, error) {
	r := policy.Request{Terminal: req.Terminal, HasCommand: req.HasCommand, Admins: effective.Admins, Groups: groups}
	plan, err := policy.Decide(user, effective.Settings, r)
	if err != nil && effective.IgnoreUserFile(err) {
		plan, err = policy.Decide(user, effective.Settings, r)
	}
	if err == nil && effective.Ignored != "" && plan.HostShell == "" {
		plan.Notice = append(plan.Notice, "dockersh: ~/.dockersh is ignored: "+effective.Ignored)
	}
	return plan, err
}

// isNotThere reports whether there is no image or container user of the name that a user chose,
// or not for this user. Nothing was made then.
func isNotThere(err error) bool {
	return errors.Is(err, engine.ErrNoImage) || errors.Is(err, policy.ErrImageDenied) || errors.Is(err, policy.ErrNoContainerUser)
}
