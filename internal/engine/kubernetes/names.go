package kubernetes

import "strings"

// An id names a pod, and the one life of it: UID_NAME. The API finds pods by name alone, and a name
// may be another pod's by now.
func idOf(uid, pod string) string { return uid + "_" + pod }

func splitID(id string) (uid, pod string, ok bool) {
	uid, pod, ok = strings.Cut(id, "_")
	return uid, pod, ok && uid != "" && pod != ""
}
