package syntax

import (
	"fmt"

	"github.com/go-git/gcfg/v2/token"
)

// parser is the grammar.
type parser struct {
	*source
	limits  Limits
	known   string // hint: the sections there are
	out     []*Section
	in      *Section // nil before the first section and in one whose header is wrong
	started bool     // there was a section, right or wrong
	count   int      // of settings
	full    bool     // there are more of them than may be
	errs    Errors
}

func (p *parser) fail(off int, text, hint string) {
	p.errs = append(p.errs, &Error{p.origin(off), text, hint})
}

// abandon reports an error after which the rest of the line means nothing.
func (p *parser) abandon(off int, text, hint string) {
	p.fail(off, text, hint)
	p.skipLine(off)
}

// abandonFault is abandon for the scanner's error; where may name what it is in.
func (p *parser) abandonFault(where string) {
	text, hint := p.fault.explain()
	p.abandon(p.fault.off, where+text, hint)
}

func (p *parser) run() {
	for !p.limits.Reached(p.errs) && !p.full {
		t := p.next()
		switch {
		case p.fault != nil:
			p.abandonFault("")
		case t.kind == token.EOF:
			return
		case t.kind == token.EOL:
		case t.kind == token.LBRACK:
			p.header(t)
		case t.kind == token.IDENT:
			p.line(t)
		default:
			p.abandon(t.off, "expected a section or a setting", "")
		}
	}
}

func endOfLine(t tok) bool { return t.kind == token.EOL || t.kind == token.EOF }

// header reads what follows the bracket of [dockersh] or [group "NAME"].
func (p *parser) header(bracket tok) {
	p.in, p.started = nil, true
	kind := p.next()
	if kind.kind != token.IDENT {
		p.abandon(bracket.off, "expected the name of a section after the bracket", p.known)
		return
	}
	t := p.next()
	s := &Section{Kind: kind.lit, KindAt: p.origin(kind.off), NameAt: p.origin(t.off)}
	if t.kind == token.STRING && p.fault == nil {
		s.Name, _ = unquote(t.lit)
		s.Named = true
		t = p.next()
	}
	switch {
	case p.fault != nil:
		p.abandonFault("")
		return
	case t.kind != token.RBRACK:
		hint := ""
		if !endOfLine(t) && !s.Named {
			hint = "a name is written in quotes, as in [user \"alice\"]"
		}
		p.abandon(t.off, "expected the closing bracket of the section", hint)
		return
	}
	if t = p.next(); !endOfLine(t) || p.fault != nil {
		p.abandon(t.off, "expected nothing after the closing bracket", "write the setting on a line of its own")
		return
	}
	p.in = s
	p.out = append(p.out, s)
}

// line reads a setting whose key was just scanned.
func (p *parser) line(key tok) {
	l := Line{Key: key.lit, Bare: true, src: p.source, keyOff: key.off}
	t := p.next()
	switch {
	case p.fault != nil && t.off == key.off+len(key.lit):
		// image_name: the scanner ends the key at a character that no key has.
		l.Key = p.word(key.off)
		p.skipLine(key.off)
		p.add(l)
		return
	case p.fault != nil, t.kind != token.ASSIGN && !endOfLine(t):
		p.abandon(t.off, fmt.Sprintf("expected \"=\" after %s", Quote(key.lit)), "")
		return
	}
	if t.kind == token.ASSIGN {
		v := p.next()
		if p.fault != nil {
			p.abandonFault(Lower(key.lit) + ": ")
			return
		}
		l.Value, l.at = unquote(v.lit)
		l.Bare, l.Quoted, l.valOff = false, v.lit != "", v.off
		if p.limits.Value > 0 && len(l.Value) > p.limits.Value {
			p.fail(v.off, fmt.Sprintf("%s: the value is longer than %d bytes", Lower(key.lit), p.limits.Value), "")
			return
		}
	}
	p.add(l)
}

func (p *parser) add(l Line) {
	p.count++
	switch {
	case p.limits.Settings > 0 && p.count > p.limits.Settings:
		p.full = true
		p.fail(l.keyOff, fmt.Sprintf("the file has more than %d settings", p.limits.Settings), "")
	case p.in != nil:
		p.in.Lines = append(p.in.Lines, l)
	case !p.started:
		p.fail(l.keyOff, fmt.Sprintf("setting %s is before any section", Quote(l.Key)), "begin with [dockersh]")
	}
}

// word returns the text from off up to white space or an equals sign.
func (p *parser) word(off int) string {
	rest := p.text[off:]
	for i, b := range rest {
		if b == ' ' || b == '\t' || b == '\n' || b == '=' {
			return string(rest[:i])
		}
	}
	return string(rest)
}
