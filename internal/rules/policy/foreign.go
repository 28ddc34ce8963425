package policy

import (
	"path"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
)

// ForeignImage reports whether the user, and not the administrator, chose the image that
// the plan's container is made from. Nothing in such an image counts as the
// administrator's word: neither who somebody is in it, nor which of its programs may
// gain rights.
func (p *Plan) ForeignImage() bool {
	s := p.Settings
	if s.FromUser("dockersocket") {
		return true // another engine may call anything by the administrator's name
	}
	return s.FromUser("imagename") && (p.Admins == nil || p.Admins.ImageName != s.ImageName)
}

// HasForeignImage reports, by the labels of an existing container, whether a user chose
// its image. A container that dockersh did not make has an image of the administrator's.
func HasForeignImage(labels map[string]string) bool {
	if _, ours := OwnerOf(labels); !ours {
		return false
	}
	switch labels[engine.LabelImageBy] {
	case engine.ImageByAdministrator:
		return false
	case engine.ImageByUser:
		return true
	}
	// An older version made it. It was the administrator's word alone if the user's file
	// changed nothing.
	return labels[engine.LabelAdmins] == "" || labels[engine.LabelAdmins] != labels[engine.LabelSettings]
}

// isAdministratorsProcess reports whether a process 1 that is not dockersh's own is the
// administrator's alone: program, arguments, and all that the container is made of. Only
// then may dockeropt let it run as another user: as root, a program of the user's could
// leave setuid programs in a mounted home.
func (p *Plan) isAdministratorsProcess() bool {
	s := p.Settings
	if s.MadeByUser() != "" {
		return false
	}
	for _, word := range append([]string{s.Entrypoint}, s.Cmd...) {
		if s.MountHome && within(word, s.MountHomeTo) || s.MountTmp && within(word, "/tmp") {
			return false // the user can write it
		}
	}
	return true
}

// within reports whether a path is dir or below it.
func within(p, dir string) bool {
	p, dir = path.Clean(p), path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}
