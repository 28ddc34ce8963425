package passwd

import "slices"

func mergeGroups(image []string, who Identity) []string {
	out := mergePrimary(slices.Clone(image), who.primary())
	done := map[uint32]bool{who.GID: true}
	for _, g := range who.Groups {
		if !done[g.GID] {
			done[g.GID] = true
			out = mergeGroup(out, g, who.Name)
		}
	}
	if !slices.ContainsFunc(out, func(l string) bool { return hasID(l, 0) }) {
		out = slices.Insert(out, 0, "root:x:0:")
	}
	return out
}

// mergePrimary gives a number its name, which is shown for new files.
func mergePrimary(groups []string, g Group) []string {
	name := freeName(groups, g)
	at := slices.IndexFunc(groups, func(l string) bool { return hasID(l, g.GID) })
	if at >= 0 && nameOf(groups[at]) == name {
		return groups
	}
	if at < 0 {
		at = len(groups)
	}
	return slices.Insert(groups, at, formatGroup(name, g.GID))
}

// mergeGroup makes user a member of a group.
func mergeGroup(groups []string, g Group, user string) []string {
	at := slices.IndexFunc(groups, func(l string) bool { return hasID(l, g.GID) })
	if at < 0 {
		return append(groups, formatGroup(freeName(groups, g), g.GID, user))
	}
	_, members, ok := parseGroup(groups[at])
	switch {
	case !ok: // has the number, but no list of members
		return slices.Insert(groups, at, formatGroup(freeName(groups, g), g.GID, user))
	case slices.Contains(members, user):
		return groups
	case len(members) > 0:
		groups[at] += ","
	}
	groups[at] += user
	return groups
}

// freeName returns a group's name, or a longer one that no other group has.
func freeName(groups []string, g Group) string {
	name := g.Name
	if name == "" {
		name = FormatID(g.GID)
	}
	taken := func(l string) bool { return nameOf(l) == name && !hasID(l, g.GID) }
	for slices.ContainsFunc(groups, taken) {
		name += "-" + FormatID(g.GID)
	}
	return name
}
