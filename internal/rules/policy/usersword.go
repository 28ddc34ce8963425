package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// admitUsersWord refuses a ~/.dockersh that would decide what a container is in which
// others may be, too: they would work in its author's image, among its author's programs, and
// speak to services that its author chose.
func (p *Plan) admitUsersWord() error {
	key := p.Settings.FirstHashedFromUser()
	if key == "" && p.Settings.FromUser("reverseforward") {
		key = "reverseforward"
	}
	if key == "" || p.Owner.Personal() || p.Owner.ofOneSession() {
		return nil
	}
	return usererr.New(usererr.Denied, key+" in ~/.dockersh would decide for others, who may share the container "+p.Container,
		"remove "+key+" from ~/.dockersh", nil)
}

// ofOneSession reports whether the session was part of what the name stood for.
func (o Owner) ofOneSession() bool {
	return slices.ContainsFunc(strings.Split(o.Identity, ","), func(of string) bool { return strings.HasPrefix(of, "x=") })
}

// homePlaces are the directories below which users may place their home.
var homePlaces = []string{"/home", "/mnt", "/media", "/srv", "/data"}

// admitHomePlace refuses a home in a place of the container's own system. There users
// could put files that setuid programs of the image obey, such as those of PAM.
func (p *Plan) admitHomePlace() error {
	s := p.Settings
	if !s.MountHome {
		return nil
	}
	to := path.Clean(s.MountHomeTo)
	if config.IsSystemPlace(to) {
		return usererr.New(usererr.Settings, "your home would cover "+to+", which is part of the container's own system",
			explainHint(p.User, "and to set mounthometo, for example to /home/%u"), nil)
	}
	if !s.FromUser("mounthometo") || p.Admins != nil && path.Clean(p.Admins.MountHomeTo) == to {
		return nil
	}
	for _, dir := range homePlaces {
		if to != dir && engine.Within(to, dir) {
			return nil
		}
	}
	return usererr.New(usererr.Denied, "mounthometo in ~/.dockersh must be below "+
		strings.Join(homePlaces[:len(homePlaces)-1], ", ")+" or "+homePlaces[len(homePlaces)-1],
		"set mounthometo in ~/.dockersh to a path such as /home/%u", nil)
}
