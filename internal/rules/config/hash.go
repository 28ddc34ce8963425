package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Hash is the same for two settings that make the same container. To be of use
// it is taken after Expand.
//
// In it are imagename, entrypoint, cmd, dockeropt, mounthome (with where from
// and where to), mounttmp, mountdockersocket (with dockersocket), memory, cpus,
// pidslimit, env, volume, network, hostname, capdrop, capadd and
// nonewprivileges. Not in it are the container's name, which says which one and
// not what it is, and what each login brings anew: containerusername, shell,
// usercwd, acceptenv, banner, hostshell, pull and what is for the host alone.
//
// What stands for the login (%i, %k, %x) counts as it is written: the next login does not
// make another container of it.
//
// A setting that has its default is left out, so that a version of dockersh
// that knows more settings does not take every container for outdated.
func (s *Settings) Hash() string {
	h := sha256.New()
	for i := range table {
		r := &table[i]
		switch {
		case !r.made,
			!s.MountHome && (r.key == "mounthomefrom" || r.key == "mounthometo"),
			!s.MountDockerSocket && r.key == "dockersocket":
			continue
		}
		var vals []string
		for _, v := range s.state[r.key].vals {
			if v.made != "" {
				vals = append(vals, v.made)
			} else {
				vals = append(vals, v.text)
			}
		}
		// A default with a sequence in it is not the same for all.
		if slices.Equal(vals, r.def) && !strings.Contains(strings.Join(r.def, ""), "%") {
			continue
		}
		fmt.Fprintf(h, "%s %d\n", r.key, len(vals))
		for _, v := range vals {
			fmt.Fprintf(h, "%d:%s\n", len(v), v)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
