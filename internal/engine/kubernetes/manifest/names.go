package manifest

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// maxReadable is how much of a container's name is in the name of its pod, for people to read.
const maxReadable = 36

// PodName returns the name of the pod of a container: what can be read of the name, and a hash of
// all of it, since names of pods have fewer characters. Two containers never share a pod: its
// annotation has the container's whole name, and a pod with another one is not found.
func PodName(name string) string {
	sum := sha256.Sum256([]byte(name))
	hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:20]
	readable := labelCharacters(name)
	if len(readable) > maxReadable {
		readable = readable[:maxReadable]
	}
	if readable = strings.Trim(readable, "-"); readable == "" {
		return "d-" + hash
	}
	return readable + "-" + hash
}

// labelCharacters replaces what a label of DNS must not have: capitals by small letters, anything else
// but digits by a dash.
func labelCharacters(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
}
