package policy

import (
	"errors"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Image is what the passwd and group files of an image have.
type Image struct {
	Users  []account.User
	Groups []account.Group
	// MemberOf returns the groups that list a user as a member.
	MemberOf func(user string) []account.Group
	// Foreign: a user chose the image, and its accounts do not count.
	Foreign bool
}

// ErrNoContainerUser is a cause of ContainerUser's errors: nobody has that name.
var ErrNoContainerUser = errors.New("there is no such container user")

// ContainerUser resolves containerusername to numbers, so that nothing in the image can
// give it another meaning (CVE-2026-46680). groups are the login user's on the host, the
// primary one first; lookup finds other users of the host.
//
// The login user's own name stands for their numbers on the host, so that they own a
// mounted home. Their supplementary groups go into a container of their own only, because
// everyone in a container gets its groups from the engine. Any other name is looked
// up in the image, then on the host. In an image that a user chose, which may call
// anybody anything, a name other than root is no more than a name for the login user's
// numbers, and a number stays what it is.
func (p *Plan) ContainerUser(groups []account.Group, img Image, lookup func(name string) (account.User, error)) (passwd.Identity, error) {
	spec, u := p.Settings.ContainerUserName, p.User
	groups = p.withLoginGroups(groups)
	r := resolution{p, img}
	self := passwd.Identity{Name: u.Name, UID: u.UID, GID: u.GID, Home: r.home(u.Home), Shell: p.Shell, Gecos: u.Gecos, Groups: groups}
	if !p.Settings.Personal() && len(groups) > 1 {
		self.Groups = groups[:1]
	}
	if spec == u.Name {
		return self, nil
	}
	if spec != "" && spec[0] >= '0' && spec[0] <= '9' {
		if img.Foreign {
			r.image = Image{}
		}
		return r.numeric(spec, self)
	}
	if img.Foreign {
		return r.foreign(spec, self), nil
	}
	other, found := account.User{}, false
	for _, e := range img.Users {
		if e.Name == spec {
			other, found = e, true
			break
		}
	}
	if !found {
		var err error
		if other, err = lookup(spec); err != nil {
			if errors.Is(err, account.ErrUnknown) {
				err = errors.Join(ErrNoContainerUser, err)
			}
			return passwd.Identity{}, usererr.New(usererr.Container,
				"the container user "+spec+" exists neither in the image nor on this host",
				explainHint(u, "and to set containerusername to a user of the image, or to uid:gid"), err)
		}
	}
	return r.fromImage(other), nil
}

// resolution turns a containerusername into a container user.
type resolution struct {
	*Plan
	image Image
}

// foreign returns the container user called name in an image that a user chose. Root is 0
// in every image, whoever made it.
func (r resolution) foreign(name string, self passwd.Identity) passwd.Identity {
	if name == "root" {
		return passwd.Identity{Name: name, Home: r.home("/root"), Shell: r.Shell, Groups: []account.Group{{Name: name}}}
	}
	self.Name = name
	return self
}

// numeric resolves uid[:gid].
func (r resolution) numeric(spec string, self passwd.Identity) (passwd.Identity, error) {
	us, gs, withGroup := strings.Cut(spec, ":")
	uid, err := strconv.ParseUint(us, 10, 32)
	if err != nil {
		return passwd.Identity{}, r.notUserError(err)
	}
	who := self
	if uint32(uid) != self.UID {
		// An unknown number gets the login user's name, and a group of the same number
		// as useradd(8) would make.
		who.UID, who.GID = uint32(uid), uint32(uid)
		for _, e := range r.image.Users {
			if e.UID == uint32(uid) {
				who = r.fromImage(e)
				break
			}
		}
		if who.Name == self.Name {
			who.Groups = []account.Group{{Name: self.Name, GID: who.GID}}
		}
	}
	if withGroup {
		gid, err := strconv.ParseUint(gs, 10, 32)
		if err != nil {
			return passwd.Identity{}, r.notUserError(err)
		}
		if uint32(gid) != who.GID {
			who.GID = uint32(gid)
			who.Groups = []account.Group{{Name: who.Name, GID: who.GID}}
		}
	}
	return who, nil
}

// notUserError is the error for a containerusername that begins with a digit and has no numbers.
func (r resolution) notUserError(cause error) error {
	return usererr.New(usererr.Settings, "containerusername is not a user: "+r.Settings.ContainerUserName,
		explainHint(r.User, "and to correct it"), cause)
}

// fromImage returns the container user for a user of the image or, if the image has no
// such user, of the host.
func (r resolution) fromImage(e account.User) passwd.Identity {
	who := passwd.Identity{Name: e.Name, UID: e.UID, GID: e.GID, Home: r.home(e.Home), Shell: r.Shell, Gecos: e.Gecos}
	primary := account.Group{Name: e.Name, GID: e.GID}
	for _, g := range r.image.Groups {
		if g.GID == e.GID {
			primary = g
			break
		}
	}
	who.Groups = append(who.Groups, primary)
	if r.Settings.Personal() && r.image.MemberOf != nil {
		for _, g := range r.image.MemberOf(e.Name) {
			if g.GID != e.GID {
				who.Groups = append(who.Groups, g)
			}
		}
	}
	return who
}

// home returns the home in the container: the mounted one, whoever the container user is.
func (r resolution) home(own string) string {
	if r.Settings.MountHome {
		return r.Settings.MountHomeTo
	}
	if own == "" {
		return "/"
	}
	return own
}
