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

// isName reports whether an id is the name of an image. A digest without its prefix is long: "cafe"
// may be an image.
func isName(id string) bool {
	hash, prefixed := strings.CutPrefix(id, "sha256:")
	return strings.Trim(hash, "0123456789abcdef") != "" || !prefixed && len(hash) < hex.EncodedLen(sha256.Size)
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
