package launch

import "testing"

func TestAgentIsKnownByItsGroups(t *testing.T) {
	for what, c := range map[string]struct {
		g    agentGroups
		gid  uint32
		have []uint32
		want role
	}{
		"none, as process 1":                      {agentGroups{gid: 5, oneGID: 5}, 5, nil, asWanted},
		"the engine counts the primary one":       {agentGroups{gid: 5, oneGID: 5}, 5, []uint32{5}, asWanted},
		"those of the login":                      {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7}}, 5, []uint32{5, 7}, asWanted},
		"process 1 without them":                  {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7}}, 5, []uint32{5}, asOne},
		"of a login before":                       {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7}}, 5, []uint32{5, 7, 8}, useless},
		"what all have":                           {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7}, one: []uint32{44}}, 5, []uint32{7, 44}, asWanted},
		"one is missing":                          {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7, 8}}, 5, []uint32{7}, useless},
		"one is missing, and will do":             {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7, 8}, fewer: true}, 5, []uint32{7}, asWanted},
		"one too many, where fewer will do":       {agentGroups{gid: 5, oneGID: 5, wanted: []uint32{7}, fewer: true}, 5, []uint32{0}, useless},
		"root's group for want of an entry":       {agentGroups{gid: 5, oneGID: 5}, 0, nil, useless},
		"process 1 with an earlier primary group": {agentGroups{gid: 6, oneGID: 5}, 5, nil, asOne},
	} {
		if got := c.g.roleOf(c.gid, c.have); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
	}
}
