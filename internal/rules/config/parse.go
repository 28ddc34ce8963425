package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/go-git/gcfg/v2/token"
)

// Parse reads the administrator's file. The error is of type Errors and tells
// everything that is wrong at once; then there is no File.
func Parse(file string, src []byte) (*File, error) {
	return parse(file, src, MaxFile, false)
}

// ParseUser reads a ~/.dockersh: only [dockersh], and only settings that have a
// gate. Whether the gate is open is for Effective to say.
func ParseUser(file string, src []byte) (*File, error) {
	return parse(file, src, MaxUserFile, true)
}

func parse(file string, src []byte, limit int, user bool) (*File, error) {
	if len(src) > limit {
		return nil, Errors{{Origin{file, 1, 1}, fmt.Sprintf("the file is larger than %d KiB", limit>>10), ""}}
	}
	p := &parser{source: newSource(file, src), out: &File{name: file}, user: user}
	if errs := p.rubbish(); errs != nil {
		return nil, errs.orNil()
	}
	p.run()
	if err := p.errs.orNil(); err != nil {
		return nil, err
	}
	return p.out, nil
}

// parser is the grammar: sections, and in them settings, a line each.
type parser struct {
	*source
	user    bool // ~/.dockersh
	out     *File
	in      *section // nil before the first section and in one that is wrong
	started bool     // there was a section, right or wrong
	errs    Errors
}

func (p *parser) fail(off int, text, hint string) {
	p.errs = append(p.errs, &Error{p.origin(off), text, hint})
}

// broken reports an error after which the rest of the line means nothing.
func (p *parser) broken(off int, text, hint string) {
	p.fail(off, text, hint)
	p.skipLine(off)
}

func (p *parser) run() {
	for {
		t := p.next()
		switch {
		case p.fault != nil:
			text, hint := p.fault.say()
			p.broken(p.fault.off, text, hint)
		case t.kind == token.EOF:
			return
		case t.kind == token.EOL:
		case t.kind == token.LBRACK:
			p.header(t)
		case t.kind == token.IDENT:
			p.line(t)
		default:
			p.broken(t.off, "expected a section or a setting", "")
		}
	}
}

func endOfLine(t tok) bool { return t.kind == token.EOL || t.kind == token.EOF }

// header reads what follows the bracket of [dockersh] or [group "NAME"].
func (p *parser) header(bracket tok) {
	p.in, p.started = nil, true
	kind := p.next()
	if kind.kind != token.IDENT {
		p.broken(bracket.off, "expected the name of a section behind the bracket", p.sections())
		return
	}
	t := p.next()
	var name *string
	nameAt := t
	if t.kind == token.STRING && p.fault == nil {
		n, _ := unquote(t.lit)
		name = &n
		t = p.next()
	}
	switch {
	case p.fault != nil:
		text, hint := p.fault.say()
		p.broken(p.fault.off, text, hint)
		return
	case t.kind != token.RBRACK:
		hint := ""
		if !endOfLine(t) && name == nil {
			hint = "a name stands in quotes, as in [user \"alice\"]"
		}
		p.broken(t.off, "expected the closing bracket of the section", hint)
		return
	}
	if t = p.next(); !endOfLine(t) || p.fault != nil {
		p.broken(t.off, "expected nothing behind the closing bracket", "write the setting on a line of its own")
		return
	}
	p.section(kind, name, nameAt.off)
}

// section goes to the section of that kind and name, which may have been begun
// before.
func (p *parser) section(kind tok, name *string, nameOff int) {
	k := lower(kind.lit)
	switch {
	case k != sectionAll && k != sectionGroup && k != sectionUser:
		p.fail(kind.off, "unknown section "+quote(kind.lit), didYouMean(k, []string{sectionAll, sectionGroup, sectionUser}, p.sections()))
		return
	case p.user && k != sectionAll:
		p.fail(kind.off, fmt.Sprintf("section %q may not stand in a user's own file", k), p.sections())
		return
	case k == sectionAll && name != nil:
		p.fail(nameOff, "section \"dockersh\" has no name", "write [dockersh]")
		return
	case k != sectionAll && (name == nil || *name == ""):
		p.fail(kind.off, fmt.Sprintf("section %q needs a name", k), fmt.Sprintf("write [%s \"NAME\"]", k))
		return
	case name != nil && strings.ContainsFunc(*name, unicode.IsControl):
		p.fail(nameOff, "the name has a control character in it", "")
		return
	}
	n := ""
	if name != nil {
		n = *name
	}
	p.in = p.out.section(k, n)
	if p.in == nil {
		p.in = &section{kind: k, name: n, entries: map[string]*entry{}}
		p.out.sections = append(p.out.sections, p.in)
	}
}

func (p *parser) sections() string {
	if p.user {
		return "only [dockersh] is read here"
	}
	return `there are [dockersh], [group "NAME"] and [user "NAME"]`
}

// line reads a setting whose key was just scanned.
func (p *parser) line(key tok) {
	t := p.next()
	end := key.off + len(key.lit)
	switch {
	case p.fault != nil && t.off == end:
		// image_name: the scanner ends the key at a character that no key has.
		p.unknown(p.word(key.off), key.off)
		p.skipLine(key.off)
		return
	case p.fault != nil, t.kind != token.ASSIGN && !endOfLine(t):
		p.broken(t.off, fmt.Sprintf("expected \"=\" behind %s", quote(key.lit)), "")
		return
	}
	a := assignment{key: lower(key.lit), off: key.off, bare: true}
	if t.kind == token.ASSIGN {
		v := p.next()
		if p.fault != nil {
			text, hint := p.fault.say()
			p.broken(p.fault.off, lower(key.lit)+": "+text, hint)
			return
		}
		var at []int
		a.val, at = unquote(v.lit)
		a.bare, a.quoted, a.valOff, a.at = false, v.lit != "", v.off, at
	}
	switch {
	case p.in != nil:
		p.assign(a)
	case !p.started:
		p.fail(key.off, fmt.Sprintf("setting %s stands before any section", quote(key.lit)), "begin with [dockersh]")
	}
}

// word is the text from off up to white space or an equals sign.
func (p *parser) word(off int) string {
	rest := p.text[off:]
	for i, b := range rest {
		if b == ' ' || b == '\t' || b == '\n' || b == '=' {
			return string(rest[:i])
		}
	}
	return string(rest)
}

// section finds a section; nil when there is none.
func (f *File) section(kind, name string) *section {
	for _, s := range f.sections {
		if s.kind == kind && s.name == name {
			return s
		}
	}
	return nil
}

// lower folds ASCII alone: Unicode's folding would read a Kelvin sign as a k.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
