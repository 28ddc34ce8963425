package policy

import (
	"errors"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/sshd/pattern"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// ForeignImage reports whether the user, and not the administrator, chose the image that
// the plan's container is made from. Nothing in such an image counts as the
// administrator's word: neither who somebody is in it, nor which of its programs may
// gain rights.
func (p *Plan) ForeignImage() bool {
	// Another engine may call anything by the administrator's name.
	return p.Settings.FromUser("dockersocket") || p.NamesImage()
}

// NamesImage reports whether ~/.dockersh names the image of the plan's container, and the
// administrator's file does not give the user the same one.
func (p *Plan) NamesImage() bool {
	return p.Settings.FromUser("imagename") && (p.Admins == nil || p.Admins.ImageName != p.Settings.ImageName)
}

// ErrImageDenied is the cause of the errors of AdmitImage and AdmitPull.
var ErrImageDenied = errors.New("the image is not allowed")

// AdmitImage decides whether the plan's container may be made from an image. What runs is
// judged, not what was written: an image has many names, its id among them. One of them
// must match; without patterns it is enough that it has no files of another container. That which
// a container was carried over by is for that container alone, whatever matches.
func (p *Plan) AdmitImage(image engine.Image) error {
	patterns := p.Settings.AllowImage
	switch {
	case !p.NamesImage():
		return nil
	case image.Layer:
		return p.imageDenied()
	case allowsImage(patterns, image.Names):
		return nil
	case len(patterns) == 0 && !image.Committed:
		return nil
	case len(patterns) == 0:
		return usererr.New(usererr.Denied,
			"the image "+p.Settings.ImageName+" was made from a container, and only the administrator can give it to users",
			explainHint(p.User, "and to name it with allowimage"), ErrImageDenied)
	}
	return p.imageDenied()
}

// AdmitPull decides whether the plan's image may be fetched; names are those of what was
// written, because nothing else is known of it yet.
func (p *Plan) AdmitPull(names []string) error {
	if !p.NamesImage() || len(p.Settings.AllowImage) == 0 || allowsImage(p.Settings.AllowImage, names) {
		return nil
	}
	return p.imageDenied()
}

func allowsImage(patterns, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return pattern.MatchAny(patterns, name) })
}

// imageDenied does not show whether there is such an image.
func (p *Plan) imageDenied() error {
	return usererr.New(usererr.Denied, "the image "+p.Settings.ImageName+" is not one that you may use",
		explainHint(p.User, "and to name it with allowimage"), ErrImageDenied)
}

// HasForeignImage reports, by the labels of an existing container, whether a user chose
// its image. A container that dockersh did not make has the administrator's image.
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
// then may dockeropt let it run as another user: as root, the user's program could
// leave setuid programs in a mounted home.
func isAdministratorsProcess(s *config.Settings) bool {
	if s.FirstHashedFromUser() != "" {
		return false
	}
	for _, word := range append([]string{s.Entrypoint}, s.Cmd...) {
		if s.MountHome && engine.Within(word, s.MountHomeTo) || s.MountTmp && engine.Within(word, "/tmp") {
			return false // the user can write it
		}
	}
	return true
}

// RightsMayGrow reports whether a program in the container may have more rights than the
// container user.
func (p *Plan) RightsMayGrow() bool {
	s := p.Settings
	if s.Entrypoint == config.Internal && p.ForeignImage() {
		return false // no program gains any, and process 1 is the container user
	}
	return s.RightsMayGrow()
}
