package view

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/dockersh/dockersh/internal/admin/human"
)

// model is the state of the view. Keys and new data change it; none of its methods
// waits.
type model struct {
	data     Data
	sessions bool   // whether sessions are listed, not containers
	order    int    // index into orders
	at       string // name or id of the selected row; it stays selected when rows move
	row, top int    // index of the selected row, and of the first one on the screen
	filter   string
	status   string // outcome of the last action
	failed   string // why there is no newer data; empty: there is

	// While ask is not empty, keys answer it: a yes or a text.
	ask    string // prompt
	typed  []rune
	answer func(m *model, text string) *Action // nil for a filter
	yes    bool                                // the answer is y or n, not a text
}

// orders are those of the containers. Sessions are in the order in which they began.
var orders = [...]string{"name", "cpu", "memory", "sessions", "idle"}

// set replaces the data. The selected row stays selected.
func (m *model) set(d Data) {
	m.data, m.failed = d, ""
	m.reselect()
}

// rows returns the names or ids of the listed rows, in order.
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

// reselect finds the selected row among the rows, or selects the one that has taken
// its place.
func (m *model) reselect() {
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

// move selects the row that is so many rows further down.
func (m *model) move(by int) {
	m.row += by
	m.at = "" // the index counts
	m.reselect()
}

// key changes the state by a key. It returns an action to do, or quit at the end. page is
// how many rows the screen shows.
func (m *model) key(ev *tcell.EventKey, page int) (act *Action, quit bool) {
	if ev.Key() == tcell.KeyCtrlC {
		return nil, true
	}
	if m.ask != "" {
		return m.typeKey(ev), false
	}
	m.status = ""
	switch ev.Key() {
	case tcell.KeyEscape:
		if m.filter == "" {
			return nil, true
		}
		m.filter = ""
		m.reselect()
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
		m.switchList()
	case tcell.KeyRune:
		return m.command(ev.Rune())
	}
	return nil, false
}

func (m *model) command(r rune) (act *Action, quit bool) {
	switch r {
	case 'q':
		return nil, true
	case 'o':
		m.order = (m.order + 1) % len(orders)
		m.reselect()
	case '/':
		m.filter = ""
		m.prompt("filter: ", false, nil)
	case 'k':
		m.confirm(Kick)
	case 's':
		m.confirm(Stop)
	case 'r':
		m.confirm(Restart)
	case 'R':
		m.confirm(Reset)
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

// switchList lists sessions in place of containers, or the other way round.
func (m *model) switchList() {
	m.sessions = !m.sessions
	m.at, m.row, m.top = "", 0, 0
	m.reselect()
}

// target returns the action that does v to the selected row: for a session, verbs for
// containers act on its container. ok is false if no row is selected.
func (m *model) target(v Verb) (a Action, ok bool) {
	if m.at == "" {
		return Action{}, false
	}
	a = Action{Verb: v, Target: m.at, Session: m.sessions}
	if m.sessions && v != Kick && v != Message {
		for _, s := range m.data.Sessions {
			if s.ID == m.at {
				a.Target, a.Session = s.Container, false
			}
		}
	}
	return a, true
}

// confirm asks before it does v to the selected row.
func (m *model) confirm(v Verb) {
	a, ok := m.target(v)
	if !ok {
		return
	}
	what := string(v) + " " + a.Target + m.cost(a)
	m.prompt(what+"? y/n ", true, func(*model, string) *Action { return &a })
}

// cost returns what the action ends or loses, for the question.
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
		text += ": everything in it is lost"
	}
	return text
}

func (m *model) prompt(text string, yes bool, answer func(*model, string) *Action) {
	m.ask, m.yes, m.answer, m.typed = text, yes, answer, nil
}

// typeKey handles a key while something is asked.
func (m *model) typeKey(ev *tcell.EventKey) *Action {
	asked, answer := m.ask, m.answer
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
	m.ask = asked // the text goes on
	switch ev.Key() {
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		m.typed = m.typed[:max(0, len(m.typed)-1)]
	case tcell.KeyRune:
		m.typed = append(m.typed, ev.Rune())
	}
	if answer == nil {
		m.filter = string(m.typed)
		m.reselect()
	}
	return nil
}
