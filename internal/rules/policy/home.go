package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
)

// Home is a mounted home of an engine that numbers the users of containers differently
// (userns-remap): it maps the owners of files on disk to users of the container. Users
// without a pair own nothing there. Thus the container's root, who has no pair unless root
// is the container user, cannot leave files that belong to root on the host.
//
// It is kept as a label of the container, because another user than its maker may start
// it again.
type Home struct {
	From          string
	Users, Groups []Pair
}

// Pair is one id as it stands on disk and as the container sees it.
type Pair struct{ Disk, Inside uint32 }

// maxGroups is how many groups of a user are mapped: the kernel reads all pairs as one
// page (user_namespaces(7)).
const maxGroups = 64

// Home returns the home of a container whose user is who. groups are the login user's on
// the host, the primary one first: groups that who has from the image alone must not count
// on disk.
func (p *Plan) Home(who passwd.Identity, groups []account.Group) Home {
	h := Home{
		From:   p.Settings.MountHomeFrom,
		Users:  []Pair{{p.User.UID, who.UID}},
		Groups: []Pair{{p.User.GID, who.GID}},
	}
	for _, g := range groups {
		known := slices.ContainsFunc(h.Groups, func(o Pair) bool { return o.Disk == g.GID || o.Inside == g.GID })
		inside := slices.ContainsFunc(who.Groups, func(o account.Group) bool { return o.GID == g.GID })
		if inside && !known && len(h.Groups) < maxGroups {
			h.Groups = append(h.Groups, Pair{g.GID, g.GID})
		}
	}
	return h
}

// String returns "u1000=1000 g1000=1000 g50=50 /home/alice"; empty without a home.
func (h Home) String() string {
	if h.From == "" {
		return ""
	}
	var b strings.Builder
	write := func(kind byte, pairs []Pair) {
		for _, p := range pairs {
			b.WriteByte(kind)
			b.WriteString(strconv.FormatUint(uint64(p.Disk), 10) + "=" + strconv.FormatUint(uint64(p.Inside), 10) + " ")
		}
	}
	write('u', h.Users)
	write('g', h.Groups)
	return b.String() + h.From
}

var errHome = errors.New("the label of the home cannot be parsed")

// ParseHome reads what String returned.
func ParseHome(label string) (Home, error) {
	var h Home
	for label != "" && label[0] != '/' {
		kind := label[0]
		word, rest, _ := strings.Cut(label[1:], " ")
		disk, inside, _ := strings.Cut(word, "=")
		a, err := strconv.ParseUint(disk, 10, 32)
		b, err2 := strconv.ParseUint(inside, 10, 32)
		if err != nil || err2 != nil {
			return Home{}, errHome
		}
		p := Pair{uint32(a), uint32(b)}
		switch kind {
		case 'u':
			h.Users = append(h.Users, p)
		case 'g':
			h.Groups = append(h.Groups, p)
		default:
			return Home{}, errHome
		}
		label = rest
	}
	h.From = label
	if h.From == "" && len(h.Users)+len(h.Groups) > 0 || h.From != "" && len(h.Users) == 0 {
		return Home{}, errHome
	}
	return h, nil
}
