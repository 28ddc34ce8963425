// Package xauthority finds the cookies of a display that sshd forwards in an Xauthority file,
// and makes another such file of them (Xau(3), AuDispose.c and AuRead.c of libXau).
package xauthority

import (
	"encoding/binary"
	"strings"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The families of addresses that matter here (X11/Xauth.h).
const (
	familyLocal = 256   // the address is the name of a host
	familyWild  = 65535 // any address
)

// Number returns the number of a display as sshd names it for a session: "10" of
// "localhost:10.0". ok is false for any other display.
func Number(display string) (number string, ok bool) {
	number, ok = strings.CutPrefix(display, "localhost:")
	number, screen, hasScreen := strings.Cut(number, ".")
	return number, ok && isNumber(number) && (!hasScreen || isNumber(screen))
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == ""
}

// Cookies returns an Xauthority file with the cookies that file has for a display of this host,
// which is called hostname. In it they hold for that display at any host, because the
// container has a name of its own. It is empty if there are none, and has at
// most wire.MaxCookies bytes. A file that is damaged
// counts up to the damage.
func Cookies(file []byte, number, hostname string) (out []byte) {
	r := reader{file}
	for len(r.rest) > 0 {
		family, ok := r.u16()
		var fields [4]string // address, number, name and data
		for i := range fields {
			if ok {
				fields[i], ok = r.str()
			}
		}
		if !ok {
			break
		}
		isOurs := family == familyWild || family == familyLocal && fields[0] == hostname
		if !isOurs || fields[1] != number && fields[1] != "" {
			continue
		}
		entry := binary.BigEndian.AppendUint16(nil, familyWild)
		for _, field := range []string{"", number, fields[2], fields[3]} {
			entry = binary.BigEndian.AppendUint16(entry, uint16(len(field)))
			entry = append(entry, field...)
		}
		if len(out)+len(entry) <= wire.MaxCookies {
			out = append(out, entry...)
		}
	}
	return out
}

// reader takes fields off the front of a file.
type reader struct{ rest []byte }

func (r *reader) u16() (int, bool) {
	if len(r.rest) < 2 {
		return 0, false
	}
	n := binary.BigEndian.Uint16(r.rest)
	r.rest = r.rest[2:]
	return int(n), true
}

func (r *reader) str() (string, bool) {
	n, ok := r.u16()
	if !ok || n > len(r.rest) {
		return "", false
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s, true
}
