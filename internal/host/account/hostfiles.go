package account

import (
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

// subuidFile has the ranges of numbers that users may take in user namespaces (subuid(5)).
const subuidFile = "/etc/subuid"

// HostFiles answers from the host's own files alone, without starting a program: quickly
// enough to be asked about everybody who connects. A file is read again when it changes.
type HostFiles struct {
	passwd watched[map[uint32]struct{}]
	subuid watched[[]uidRange]
}

// NewHostFiles returns what is known of the files of this host.
func NewHostFiles() *HostFiles { return newHostFiles(passwdFile, subuidFile) }

func newHostFiles(passwd, subuid string) *HostFiles {
	return &HostFiles{
		passwd: watched[map[uint32]struct{}]{path: passwd, parse: uidsOf},
		subuid: watched[[]uidRange]{path: subuid, parse: parseSubuid},
	}
}

// HasAccount reports whether passwd(5) has a user with that number. A user of another name
// service has none there.
func (h *HostFiles) HasAccount(uid uint32) bool {
	_, ok := h.passwd.get()[uid]
	return ok
}

// IsSubordinate reports whether a number is in a range of subuid(5): a user of the host may
// take it without having an account of that number.
func (h *HostFiles) IsSubordinate(uid uint32) bool {
	return slices.ContainsFunc(h.subuid.get(), func(r uidRange) bool { return uid >= r.first && uid-r.first < r.count })
}

// uidRange is count numbers from first on.
type uidRange struct{ first, count uint32 }

// parseSubuid reads lines of NAME:FIRST:COUNT. Ranges that touch become one: useradd gives
// each user the next one.
func parseSubuid(text []byte) (all []uidRange) {
	for l := range strings.SplitSeq(string(text), "\n") {
		f := strings.Split(l, ":")
		if len(f) != 3 {
			continue
		}
		first, ok1 := passwd.ParseID(f[1])
		count, ok2 := passwd.ParseID(f[2])
		if !ok1 || !ok2 {
			continue
		}
		all = append(all, uidRange{first, min(count, ^uint32(0)-first)})
	}
	slices.SortFunc(all, func(a, b uidRange) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	joined := all[:0]
	for _, r := range all {
		if n := len(joined); n > 0 && r.first-joined[n-1].first <= joined[n-1].count {
			joined[n-1].count = max(joined[n-1].count, r.first-joined[n-1].first+r.count)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

func uidsOf(text []byte) map[uint32]struct{} {
	all := map[uint32]struct{}{}
	for _, u := range passwd.Users(text) {
		all[u.UID] = struct{}{}
	}
	return all
}

// watched is what is in a root file. It has nothing while the file is missing.
type watched[T any] struct {
	path  string
	parse func([]byte) T

	mu   sync.Mutex
	seen unix.Stat_t
	val  T
}

// maxHostFile in bytes is more than a file with a line for each of a million users.
const maxHostFile = 128 << 20

func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	var now unix.Stat_t
	_ = unix.Stat(w.path, &now) // a missing file is all zeros
	if isSameFile(&now, &w.seen) {
		return w.val
	}
	var text []byte
	if f, err := os.Open(w.path); err == nil {
		text, _ = io.ReadAll(io.LimitReader(f, maxHostFile))
		_ = f.Close()
	}
	w.seen, w.val = now, w.parse(text)
	return w.val
}

// isSameFile reports whether a file was not changed.
func isSameFile(now, was *unix.Stat_t) bool {
	return now.Ino == was.Ino && now.Size == was.Size && now.Mtim == was.Mtim && now.Ctim == was.Ctim
}
