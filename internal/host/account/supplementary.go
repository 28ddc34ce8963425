package account

import (
	"math"
	"slices"
)

// Supplementary returns the numbers of groups without the primary one, sorted; not nil.
func Supplementary(groups []Group, primary uint32) []uint32 {
	numbers := make([]uint32, 0, len(groups))
	for _, g := range groups {
		numbers = append(numbers, g.GID)
	}
	return SupplementaryOf(numbers, primary)
}

// SupplementaryOf is Supplementary for numbers.
func SupplementaryOf(groups []uint32, primary uint32) []uint32 {
	out := make([]uint32, 0, len(groups))
	for _, g := range groups {
		if g != primary && g != math.MaxUint32 {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
