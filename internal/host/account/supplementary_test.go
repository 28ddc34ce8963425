package account

import (
	"slices"
	"testing"
)

func TestSupplementaryGroupsAreSorted(t *testing.T) {
	if got := Supplementary([]Group{{GID: 5}, {GID: 9}, {GID: 7}, {GID: 9}}, 5); !slices.Equal(got, []uint32{7, 9}) {
		t.Error(got)
	}
	if Supplementary(nil, 5) == nil {
		t.Error("none is not unknown")
	}
}
