package policy

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/account"
)

// Home is a mounted home in an engine that gives containers other numbers for
// their users (userns-remap): whose files on disk are whose inside. Nobody who is
// not named has any there. So the container's root, who is in no pair unless he
// is the container user, can leave nothing that is root's on the host.
//
// It is kept as a label of the container, because whoever starts it again may be
// another user than who made it.
type Home struct {
	From          string
	Users, Groups []Pair
}

// Pair is one id as it stands on disk and as the container sees it.
type Pair struct{ Disk, Inside uint32 }

// maxGroups is how many groups of a user go along: the kernel reads the pairs
// as one page (user_namespaces(7)).
const maxGroups = 64

// Home gives the home of a container whose user is who. groups are the login
// user's on the host, the primary one first: of who's, those that the image alone
// gave must not count on disk.
func (p *Plan) Home(who account.Identity, groups []account.Group) Home {
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

// String is "u1000=1000 g1000=1000 g50=50 /home/alice"; empty for no home.
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

var errHome = errors.New("broken label of the home")

// ParseHome reads what String wrote.
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
