package images

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// The id of an image is a digest, but for an engine that knows images by name alone, as a cluster
// does. What such a name stands for may change.

// nameLimit is how long the accounts of an image are kept that is known by name.
const nameLimit = time.Hour

// isName reports whether an id is the name of an image.
func isName(id string) bool {
	return strings.Trim(strings.TrimPrefix(id, "sha256:"), "0123456789abcdef") != ""
}

// fileName returns an id as the name of a file.
func fileName(id string) string {
	if isName(id) {
		return "name-" + hashOf(id)
	}
	return strings.ReplaceAll(id, ":", "-")
}

// hashOf returns a hash that is an image's own.
func hashOf(id string) string {
	if isName(id) {
		sum := sha256.Sum256([]byte(id))
		return hex.EncodeToString(sum[:])
	}
	_, hash, _ := strings.Cut(id, ":")
	return hash
}
