package settings

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// Login is a user, and how to ask for whatever else settings depend on. For calls a
// function only if the settings need its answer.
type Login struct {
	User account.User
	// MemberOf returns those of the groups that the user is in, and an error if that is
	// not certain. Without it the user is in none.
	MemberOf func(groups []string) ([]string, error)
	// UserFile returns the bytes of .dockersh in the directory that is the home inside, or, for
	// an empty one, of ~/.dockersh; none if there is no such file. Without it none is read.
	UserFile func(dir string) ([]byte, error)
	// Address and Key return what %i and %k stand for. Without them, and without
	// Session, a word stands in their place: the settings are not those of a login.
	Address, Key func() (string, error)
	Session      string
}

// Effective are the settings of a user.
type Effective struct {
	Settings *config.Settings // every %-sequence replaced
	Written  *config.Settings // the same as they are written
	// Admins are Settings without ~/.dockersh; nil if those do not fit the user, or are
	// not certain.
	Admins *config.Settings
	// Ignored is why ~/.dockersh does not count; empty if it does, or is not there.
	Ignored string

	adminsWritten *config.Settings
	// Address and Key are the answers of Login's functions; empty if not asked for.
	Address, Key string
}

// For merges the administrator's file, which may be nil, and ~/.dockersh into the
// settings of a user. A question without an answer is an error: a group that cannot
// be looked up may have the stricter rules, and two logins that are to be kept apart
// must not meet in an empty name. A user whose own section has a hostshell gets it without
// these answers. A ~/.dockersh that cannot be read, or that asks for what is not possible, is
// ignored: nobody is to be locked out by a typing error. The user may read For's errors.
func For(file *config.File, l Login) (*Effective, error) {
	var in []string
	uncertain := false
	if l.MemberOf != nil {
		var err error
		if in, err = l.MemberOf(file.Groups()); err != nil && !file.HostShell(l.User.Name) {
			return nil, groupError(file, err)
		}
		uncertain = err != nil
	}
	member := func(group string) bool { return slices.Contains(in, group) }
	admins, err := file.Merge(l.User.Name, member, nil)
	if err != nil {
		return nil, firstError(err)
	}
	written, ignored := admins, error(nil)
	if admins.EnableUserConfig && l.UserFile != nil {
		written, ignored = withUserFile(file, l, member, admins)
	}
	var e *Effective
	if ignored == nil {
		if e, err = expand(l, written, admins); err != nil && written != admins {
			ignored = err
		}
	}
	if ignored != nil {
		if e, err = expand(l, admins, admins); err == nil {
			e.Ignored = ignoredBecause(ignored)
		}
	}
	if err != nil {
		return nil, firstError(err)
	}
	if uncertain {
		e.Admins = nil
	}
	return e, nil
}

// ignoredBecause returns the error of a ~/.dockersh in one line.
func ignoredBecause(err error) string {
	text := usererr.For(firstError(err)).Text
	if is, ok := strings.CutPrefix(text, "~/.dockersh "); ok {
		return "it " + is
	}
	return text
}

// IgnoreUserFile replaces settings that a login cannot have by those without ~/.dockersh,
// and reports whether there are such.
func (e *Effective) IgnoreUserFile(cause error) bool {
	if e.Admins == nil || e.Admins == e.Settings {
		return false
	}
	e.Settings, e.Written, e.Ignored = e.Admins, e.adminsWritten, ignoredBecause(cause)
	return true
}

// expand replaces the %-sequences of the settings.
func expand(l Login, written, admins *config.Settings) (*Effective, error) {
	e := &Effective{Written: written, adminsWritten: admins}
	vars, err := e.vars(l)
	if err != nil {
		return nil, err
	}
	if e.Settings, err = written.Expand(vars); err != nil {
		return nil, err
	}
	if e.Admins = e.Settings; written != admins {
		e.Admins, _ = admins.Expand(vars) // nil with an error
	}
	return e, nil
}

// withUserFile returns the settings with those of ~/.dockersh; the administrator's if
// there is none.
func withUserFile(file *config.File, l Login, member func(string) bool, admins *config.Settings) (*config.Settings, error) {
	text, err := l.UserFile(homeInside(l, admins))
	if err != nil || len(text) == 0 {
		return admins, err
	}
	users, err := config.ParseUser("~/.dockersh", text)
	if err != nil {
		return nil, err
	}
	return file.Merge(l.User.Name, member, users)
}

// homeInside returns the directory of the host that the administrator mounts as the home, if
// that is another one than the user's home on the host. The user sees the .dockersh there.
func homeInside(l Login, admins *config.Settings) string {
	if !admins.MountHome {
		return ""
	}
	e, err := expand(l, admins, admins)
	if err != nil || path.Clean(e.Settings.MountHomeFrom) == path.Clean(l.User.Home) {
		return "" // an error is met again
	}
	return e.Settings.MountHomeFrom
}

// vars returns what the %-sequences stand for. Without a home in passwd it is /, as
// for login(1).
func (e *Effective) vars(l Login) (template.Vars, error) {
	u := l.User
	v := template.Vars{User: u.Name, Home: u.Home, Shell: u.Shell, UID: u.UID, GID: u.GID,
		Address: "192.0.2.1", Key: "KEY", Session: "SESSION"} // RFC 5737: an address for documents
	if v.Home == "" {
		v.Home = "/"
	}
	if l.Session != "" {
		v.Session = l.Session
	}
	if e.Written.HostShell != "" { // break-glass: an unknown address must not shut it
		v.Address, v.Key = "none", "none"
		return v, nil
	}
	var err error
	if l.Address != nil && e.Written.Uses('i') {
		if e.Address, err = l.Address(); err != nil {
			return v, usererr.New(usererr.Denied,
				"the setting "+e.Written.UsedBy('i')+" asks for the client's address, and this login has none",
				"log in over ssh", err)
		}
		v.Address = e.Address
	}
	if l.Key != nil && e.Written.Uses('k') {
		if e.Key, err = l.Key(); err != nil {
			return v, usererr.New(usererr.Denied,
				"the setting "+e.Written.UsedBy('k')+" asks for the key you log in with, but sshd did not provide it",
				"log in with a key; if you did, "+usererr.RunDoctor+" (sshd needs ExposeAuthInfo yes)", err)
		}
		v.Key = e.Key
	}
	return v, nil
}

// Written merges what the administrator's file has for a user name and a group
// name, either of which may be empty, without asking whether there are such a user
// and such a group. The settings are as written; the error is of type syntax.Errors.
func Written(file *config.File, user, group string) (*config.Settings, error) {
	return file.Merge(user, func(name string) bool { return name == group }, nil)
}

// groupError puts the error of Login.MemberOf into words for the user.
func groupError(file *config.File, err error) error {
	var lost *account.NoGroupError
	if !errors.As(err, &lost) {
		return AccountError(err)
	}
	e := GroupErrors(file, lost)[0]
	return usererr.New(usererr.Settings, e.Error(), usererr.RunCheck, err)
}

// GroupErrors returns the errors of a settings file with sections of groups that no name
// service finds.
func GroupErrors(file *config.File, lost *account.NoGroupError) syntax.Errors {
	var errs syntax.Errors
	for _, name := range lost.Names {
		errs = append(errs, &syntax.Error{Origin: file.GroupOrigin(name),
			Text: "no name service of this host finds the group " + syntax.Quote(name),
			Hint: "write the name as getent group prints it, or remove the section; " +
				"dockershctl doctor finds name services that do not answer"})
	}
	_ = errs.Err() // in the order of the file
	return errs
}

// AccountError puts an error of package account about the login's own user into
// words for that user.
func AccountError(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return usererr.New(usererr.Denied, "this host does not know you", "ask the administrator to run: getent passwd", err)
	}
	return usererr.New(usererr.Unavailable, "the name service of this host does not answer",
		"try again, or ask the administrator to run: dockershctl doctor", err)
}

// UserFileError is the error for a ~/.dockersh that cannot be read, for the reason
// that package dotfile returns; nil if there is no reason.
func UserFileError(u account.User, problem string) error {
	if problem == "" {
		return nil
	}
	return usererr.New(usererr.Settings, "~/.dockersh "+problem, "ask the administrator to run: ls -l "+u.Home+"/.dockersh", nil)
}
