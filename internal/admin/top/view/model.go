package view

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/dockersh/dockersh/internal/admin/human"
)

// model is the state of the view. Keys change it; nothing in it waits.
type model struct {
	data     Data
	sessions bool   // the second view
	order    int    // index of columns' order
	at       string // what is selected: name or id; it stays when rows move
	row, top int    // its place, and the first row on the screen
	filter   string
	status   string // of the last action
	failed   string // why nothing newer is shown

	// ask is what is being asked for at the foot: a confirmation or a text.
	ask    string // prompt; empty: nothing
	typed  []rune
	answer func(m *model, text string) *Action // nil for a filter
	yes    bool                                // y or n instead of a text
}

// orders of the first view; the second is in the order of coming.
var orders = [...]string{"name", "cpu", "memory", "sessions", "idle"}

// set takes newer data; what is selected stays selected.
func (m *model) set(d Data) {
	m.data, m.failed = d, ""
	m.settle()
}

// rows are the keys of what is listed, in order.
func (m *model) rows() []string {
	var keys []string
	if m.sessions {
		for _, s := range m.listedSessions() {
			keys = append(keys, s.ID)
		}
		return keys
	}
	for _, c := range m.listed() {
		keys = append(keys, c.Name)
	}
	return keys
}

func (m *model) listed() []Container {
	var all []Container
	for _, c := range m.data.Containers {
		if m.filter == "" || strings.Contains(c.Name+" "+c.User+" "+c.Image+" "+c.State, m.filter) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b Container) int {
		by := 0
		switch orders[m.order] {
		case "cpu":
			by = cmp.Compare(b.CPU, a.CPU)
		case "memory":
			by = cmp.Compare(b.Memory, a.Memory)
		case "sessions":
			by = cmp.Compare(b.Sessions, a.Sessions)
		case "idle":
			by = cmp.Compare(b.Idle, a.Idle)
		}
		return cmp.Or(by, cmp.Compare(a.Name, b.Name))
	})
	return all
}

func (m *model) listedSessions() []Session {
	var all []Session
	for _, s := range m.data.Sessions {
		if m.filter == "" || strings.Contains(s.ID+" "+s.User+" "+s.Container+" "+s.Client, m.filter) {
			all = append(all, s)
		}
	}
	return all
}

// settle finds the selected row again, or the one in its place.
func (m *model) settle() {
	keys := m.rows()
	if i := slices.Index(keys, m.at); i >= 0 {
		m.row = i
	}
	m.row = max(0, min(m.row, len(keys)-1))
	m.at = ""
	if len(keys) > 0 {
		m.at = keys[m.row]
	}
}

// move selects another row.
func (m *model) move(by int) {
	m.row += by
	m.at = "" // the place counts now
	m.settle()
}

// key changes the state; it may give an action to do, or say that this is the
// end. page is how many rows the screen shows.
func (m *model) key(ev *tcell.EventKey, page int) (act *Action, quit bool) {
	if ev.Key() == tcell.KeyCtrlC {
		return nil, true
	}
	if m.ask != "" {
		return m.reply(ev), false
	}
	m.status = ""
	switch ev.Key() {
	case tcell.KeyEscape:
		if m.filter == "" {
			return nil, true
		}
		m.filter = ""
		m.settle()
	case tcell.KeyUp:
		m.move(-1)
	case tcell.KeyDown:
		m.move(1)
	case tcell.KeyPgUp:
		m.move(-page)
	case tcell.KeyPgDn:
		m.move(page)
	case tcell.KeyHome:
		m.move(-len(m.rows()))
	case tcell.KeyEnd:
		m.move(len(m.rows()))
	case tcell.KeyTab, tcell.KeyBacktab:
		m.turn()
	case tcell.KeyRune:
		return m.letter(ev.Rune())
	}
	return nil, false
}

func (m *model) letter(r rune) (act *Action, quit bool) {
	switch r {
	case 'q':
		return nil, true
	case 'o':
		m.order = (m.order + 1) % len(orders)
		m.settle()
	case '/':
		m.filter = ""
		m.prompt("filter: ", false, nil)
	case 'k':
		m.sure(Kick)
	case 's':
		m.sure(Stop)
	case 'r':
		m.sure(Restart)
	case 'R':
		m.sure(Reset)
	case 't':
		if t, ok := m.target(Start); ok {
			return &t, false
		}
	case 'm':
		if t, ok := m.target(Message); ok {
			m.prompt("message to "+m.at+": ", false, func(m *model, text string) *Action {
				if t.Text = text; text == "" {
					return nil
				}
				return &t
			})
		}
	}
	return nil, false
}

// turn shows the other view. From a container one comes to its sessions.
func (m *model) turn() {
	m.sessions = !m.sessions
	m.at, m.row, m.top = "", 0, 0
	m.settle()
}

// target is the action on what is selected. Of a session's verbs, those that are
// a container's go to its container.
func (m *model) target(v Verb) (Action, bool) {
	if m.at == "" {
		return Action{}, false
	}
	a := Action{Verb: v, Target: m.at, Session: m.sessions}
	if m.sessions && v != Kick && v != Message {
		for _, s := range m.data.Sessions {
			if s.ID == m.at {
				a.Target, a.Session = s.Container, false
			}
		}
	}
	return a, true
}

// sure asks before somebody loses something.
func (m *model) sure(v Verb) {
	a, ok := m.target(v)
	if !ok {
		return
	}
	what := string(v) + " " + a.Target + m.cost(a)
	m.prompt(what+"? y/n ", true, func(*model, string) *Action { return &a })
}

// cost says what the action ends.
func (m *model) cost(a Action) string {
	if a.Session {
		return ""
	}
	text := ""
	for _, c := range m.data.Containers {
		if c.Name == a.Target && c.Sessions > 0 {
			text = " (ends " + human.Count(c.Sessions, "session") + ")"
		}
	}
	if a.Verb == Reset {
		text += ": all that is in it is lost"
	}
	return text
}

func (m *model) prompt(text string, yes bool, answer func(*model, string) *Action) {
	m.ask, m.yes, m.answer, m.typed = text, yes, answer, nil
}

// reply is a key while something is asked.
func (m *model) reply(ev *tcell.EventKey) *Action {
	done, answer := m.ask, m.answer
	m.ask = ""
	switch {
	case ev.Key() == tcell.KeyEscape:
		return nil
	case m.yes:
		if ev.Key() == tcell.KeyRune && (ev.Rune() == 'y' || ev.Rune() == 'Y') {
			return answer(m, "")
		}
		return nil
	case ev.Key() == tcell.KeyEnter && answer != nil:
		return answer(m, string(m.typed))
	case ev.Key() == tcell.KeyEnter:
		return nil
	}
	m.ask = done // not yet
	switch ev.Key() {
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		m.typed = m.typed[:max(0, len(m.typed)-1)]
	case tcell.KeyRune:
		m.typed = append(m.typed, ev.Rune())
	}
	if answer == nil {
		m.filter = string(m.typed)
		m.settle()
	}
	return nil
}
