package config

import (
	"fmt"
	"strings"
	"unicode"
)

// assignment is one line "key = val", quotes and escapes taken away.
type assignment struct {
	key, val string
	off      int   // of the key in the file
	bare     bool  // no equals sign
	quoted   bool  // something stands behind the equals sign, be it ""
	valOff   int   // of the value in the file
	at       []int // of each byte of val, from valOff
}

// assign checks a setting and puts it into the section.
func (p *parser) assign(a assignment) {
	r, ok := lookup(a.key)
	switch {
	case !ok:
		p.unknown(a.key, a.off)
		return
	case p.user && !r.gate:
		p.fail(a.off, fmt.Sprintf("%q may not be set here: only the administrator can", a.key), "")
		return
	case a.bare && r.kind != kindBool:
		p.fail(a.off, fmt.Sprintf("setting %q needs a value", a.key), fmt.Sprintf("write %s = VALUE", a.key))
		return
	case a.bare:
		a.val, a.at, a.valOff = "true", []int{0, 0, 0, 0, 0}, a.off
	}
	e := p.in.entries[a.key]
	if e == nil || r.kind != kindArray {
		e = &entry{origin: p.origin(a.off)}
	}
	if r.kind == kindArray && !a.bare && !a.quoted {
		// KEY = with nothing behind it: the list starts anew.
		p.in.entries[a.key] = &entry{origin: p.origin(a.off)}
		return
	}
	val, bad := r.judge(a.val)
	if bad != nil {
		off := a.valOff
		if a.val != "" {
			off += a.at[bad.at]
		}
		p.fail(off, a.key+": "+bad.text, bad.hint)
		return
	}
	// After the check: that it is not built yet is said of right values only.
	if r.later && (r.kind == kindArray || val != r.today) {
		hint := "leave it out"
		if r.kind != kindArray && r.today != "" {
			hint += fmt.Sprintf(", or write %s = %s", r.key, r.today)
		}
		p.fail(a.off, fmt.Sprintf("setting %q is not built yet", r.key), hint)
		return
	}
	if len(e.vals) == 0 {
		e.origin = p.origin(a.off)
	}
	e.vals = append(e.vals, value{text: val, at: p.origin(a.valOff)})
	p.in.entries[a.key] = e
}

// unknown tells of a key that no setting has.
func (p *parser) unknown(key string, off int) {
	k := lower(key)
	if name, ok := strings.CutPrefix(k, gatePrefix); ok {
		if _, known := lookup(name); known {
			p.fail(off, "unknown setting "+quote(key), fmt.Sprintf("%q cannot be opened to users", name))
			return
		}
	}
	names := make([]string, 0, 2*len(table))
	for i := range table {
		if p.user && !table[i].gate {
			continue
		}
		names = append(names, table[i].key)
		if table[i].gate && !p.user {
			names = append(names, gatePrefix+table[i].key)
		}
	}
	p.fail(off, "unknown setting "+quote(key), didYouMean(k, names, ""))
}

// problem is what is wrong with a value.
type problem struct {
	at   int // byte of the value; at most its length
	text string
	hint string
}

// judge checks one value as it stands in a file, and gives what is kept of it.
func (r *row) judge(val string) (string, *problem) {
	if bad := badCharacter(val, r.white); bad != nil {
		return "", bad
	}
	switch r.kind {
	case kindBool:
		return parseBool(val)
	case kindInt:
		return r.checked(parseInt(val))
	case kindDuration:
		return parseDuration(val)
	case kindNumber:
		return r.checked(val, nil)
	}
	// A string, or an element of an array: a template.
	if val == "" && !r.empty {
		return "", &problem{0, "the value may not be empty", ""}
	}
	parts, bad := split(val)
	if bad != nil {
		return "", bad
	}
	if r.check == nil || val == "" {
		return val, nil
	}
	judged := val
	if !r.raw {
		judged = join(parts, sample())
	}
	if bad := r.check(judged); bad != nil {
		if judged != val {
			// Its place in the sample is not that in the file.
			bad.at = 0
		}
		return "", bad
	}
	if r.norm != nil {
		val = r.norm(val)
	}
	return val, nil
}

func (r *row) checked(val string, bad *problem) (string, *problem) {
	if bad != nil {
		return "", bad
	}
	if r.check == nil || val == "" && r.empty {
		return val, nil
	}
	return val, r.check(val)
}

// badCharacter finds control characters, which come from escapes such as \n.
func badCharacter(s, allowed string) *problem {
	for i, c := range s {
		if unicode.IsControl(c) && !strings.ContainsRune(allowed, c) {
			return &problem{i, fmt.Sprintf("control character %U", c), ""}
		}
	}
	return nil
}

// sample is a user like most: what is wrong for him is wrong for all.
func sample() Vars {
	return Vars{User: "user", Home: "/home/user", Shell: "/bin/sh", UID: 1000, GID: 1000, Address: "192.0.2.1", Key: strings.Repeat("k", 43), Session: "abcdefghijkl"}
}
