package policy

import (
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Admit decides whether the plan's user may enter an existing container of the plan's
// name. labels are the container's; ours reports whether dockersh made it, and owner for
// whom. A container without our labels is open to users whom the administrator lets adopt
// it. euid is the effective uid of the broker.
func (p *Plan) Admit(labels map[string]string, euid int) (owner Owner, ours bool, err error) {
	owner, ours = OwnerOf(labels)
	switch half := labels[engine.LabelOwner] != ""; {
	case ours:
		if err := p.CheckEntry(owner); err != nil {
			return owner, true, err
		}
		// Its agents connect where the broker of its maker keeps their sockets.
		if euid != 0 && owner.UID != uint32(euid) && p.Engine().Local() {
			return owner, true, usererr.New(usererr.Denied,
				"the container "+p.Container+" was made by another user, and belongs to them alone while no dockersh service runs",
				usererr.StartService, nil)
		}
	case half, !p.MayAdopt(): // an image that dockershctl commit made brings an empty label
		return owner, false, usererr.New(usererr.Denied,
			"the container name "+p.Container+" is taken by a container that dockersh did not make",
			explainHint(p.User, "and to rename that container, to set another containername, or to allow it with adopt"), nil)
	}
	return owner, ours, nil
}

// CheckEntry returns an error unless the plan's user may enter an existing container of
// the plan's name that was made for owner.
//
// A name alone proves nothing, since two templates can result in the same one. What the
// name stood for must agree. With a literal name the administrator means that all users who
// have it share the container. With a name of their own users share with nobody: neither
// containers that others made, nor their own from before others came. Where the name
// stood for a user, it stood for the account with that uid.
func (p *Plan) CheckEntry(owner Owner) error {
	mine, theirs := p.Owner.Identity, owner.Identity
	users := strings.HasPrefix(mine, "by=") || strings.HasPrefix(theirs, "by=")
	switch {
	case mine == theirs && strings.HasPrefix(mine, "u=") && owner.UID != p.Owner.UID:
		// An account name can be used again, and what the earlier user left is not for
		// the next one.
		return usererr.New(usererr.Denied,
			"the container "+p.Container+" was made for an earlier account "+p.User.Name+
				", with uid "+strconv.FormatUint(uint64(owner.UID), 10),
			"ask the administrator to run: dockershctl reset "+p.Container+" (what the earlier user left in it is removed)", nil)
	case mine == theirs || !users && (mine == "" || theirs == ""):
		return nil
	}
	return usererr.New(usererr.Denied, "the container "+p.Container+" belongs to another user",
		explainHint(p.User, "and to set containername so that two users do not get the same name"), nil)
}

// MayAdopt reports whether the plan's user may enter a container of the plan's name that
// dockersh did not make. Nothing on such a container shows for whom it is: the
// administrator opens it to all users whose settings name it.
func (p *Plan) MayAdopt() bool { return p.Settings.Adopt && !p.Settings.FromUser("containername") }

// MayNeedExec reports whether the session may have to go over the engine's exec, because
// the container may be without an agent of ours.
func (p *Plan) MayNeedExec() bool { return p.MayAdopt() || !p.Engine().Local() }

// AdmitSession decides whether the plan's user may have another session besides the
// live ones.
func (p *Plan) AdmitSession(live int) error {
	most := p.Settings.MaxSessions
	if most == 0 || live < most {
		return nil
	}
	return usererr.New(usererr.Busy, "you may have "+strconv.Itoa(most)+" sessions at a time, and have "+strconv.Itoa(live),
		"end one of them", nil)
}

// AdmitRecording decides whether a broker that runs as euid may record the session.
// A recording with the user's own rights would be theirs to write, and to remove.
func AdmitRecording(euid int) error {
	if euid == 0 {
		return nil
	}
	return usererr.New(usererr.Settings, "sessions are recorded here, and no dockersh service runs", usererr.StartService, nil)
}

// AdmitNumbers refuses a container user whose numbers the engine's user namespace
// does not have.
func AdmitNumbers(remap engine.Remap, who passwd.Identity) error {
	if remap.UIDs > 0 && who.UID >= remap.UIDs {
		return noNumber("user", who.UID)
	}
	for _, g := range append([]account.Group{{GID: who.GID}}, who.Groups...) {
		if remap.GIDs > 0 && g.GID >= remap.GIDs {
			return noNumber("group", g.GID)
		}
	}
	return nil
}

// HostUID returns the uid on the host of a container user; an error if the
// container's user namespace has no such user.
func HostUID(m idmap.Map, who passwd.Identity) (uint32, error) {
	uid, ok := m.Users.Out(who.UID)
	if !ok {
		return 0, noNumber("user", who.UID)
	}
	return uid, nil
}

func noNumber(kind string, id uint32) error {
	return usererr.New(usererr.Container, "the container's user namespace has no "+kind+" "+strconv.FormatUint(uint64(id), 10),
		"ask the administrator to run: cat /etc/subuid /etc/subgid (and to widen the range of the engine's userns-remap there)", nil)
}
