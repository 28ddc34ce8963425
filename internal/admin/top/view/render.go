package view

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// line is a line of the screen.
type line struct {
	text  string
	style tcell.Style
}

var (
	plain    = tcell.StyleDefault
	heading  = plain.Bold(true)
	selected = plain.Reverse(true)
	faint    = plain.Dim(true)
)

// around is how many lines of the screen are not rows.
const around = 5

// view returns the lines of a screen of that height. draw cuts lines that are too wide.
func (m *model) view(high int) []line {
	page := max(1, high-around)
	head, rows := m.table()
	m.top = max(0, m.row-page+1, min(m.top, m.row, len(rows)-page))
	lines := []line{{m.summary(), heading}, {"", plain}, {head, heading}}
	for i := m.top; i < min(len(rows), m.top+page); i++ {
		style := plain
		if i == m.row {
			style = selected
		}
		lines = append(lines, line{rows[i], style})
	}
	for len(lines) < high-2 {
		lines = append(lines, line{})
	}
	return append(lines, m.foot()...)
}

func (m *model) summary() string {
	if m.data.At.IsZero() {
		return "dockersh: reading"
	}
	running, cpu, memory := 0, 0., int64(0)
	for _, c := range m.data.Containers {
		if c.State == "running" {
			running++
		}
		cpu += max(0, c.CPU)
		memory += max(0, c.Memory)
	}
	return fmt.Sprintf("dockersh  %s  %s, %d running  %s  cpu %.0f%%  memory %s", m.data.At.Format("15:04:05"),
		human.Count(len(m.data.Containers), "container"), running, human.Count(len(m.data.Sessions), "session"), cpu, human.Bytes(memory))
}

// table returns the heading and the rows of the list.
func (m *model) table() (head string, rows []string) {
	now := m.data.At
	if m.sessions {
		cells := [][]string{{"ID", "USER", "CONTAINER", "CLIENT", "TTY", "SINCE", "IDLE"}}
		for _, s := range m.listedSessions() {
			cells = append(cells, []string{s.ID, s.User, s.Container, cmp.Or(s.Client, "-"), cmp.Or(s.TTY, "-"),
				human.Age(now.Sub(s.Since)), human.Age(s.Idle)})
		}
		return align(cells, "<<<<<>>")
	}
	cells := [][]string{{"NAME", "USER", "IMAGE", "STATE", "SESSIONS", "CPU", "MEMORY", "PIDS", "IDLE", "AGE"}}
	for _, c := range m.listed() {
		cpu, memory, procs := "-", "-", "-"
		if c.CPU >= 0 {
			cpu = strconv.FormatFloat(c.CPU, 'f', 1, 64) + "%"
		}
		if c.Memory >= 0 {
			memory = human.Bytes(c.Memory)
		}
		if c.Processes >= 0 {
			procs = strconv.Itoa(c.Processes)
		}
		cells = append(cells, []string{c.Name, c.User, c.Image, c.State, strconv.Itoa(c.Sessions), cpu, memory, procs,
			human.Age(c.Idle), human.Age(now.Sub(c.Created))})
	}
	return align(cells, "<<<<>>>>>>")
}

// align pads the cells of each column to its widest one. sides has < for a column that
// is aligned to the left, > for one to the right.
func align(cells [][]string, sides string) (head string, rows []string) {
	widths := make([]int, len(sides))
	for _, row := range cells {
		for i := range row {
			row[i] = printable.Text(row[i])
			widths[i] = max(widths[i], len([]rune(row[i])))
		}
	}
	for n, row := range cells {
		var b strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if sides[i] == '>' {
				b.WriteString(space + cell)
			} else {
				b.WriteString(cell + space)
			}
			b.WriteString("  ")
		}
		if text := strings.TrimRight(b.String(), " "); n == 0 {
			head = text
		} else {
			rows = append(rows, text)
		}
	}
	return head, rows
}

// foot returns the line of what happened or is asked, and that of the keys.
func (m *model) foot() []line {
	keys := "q quit  tab sessions  o order: " + orders[m.order] + "  / filter  k kick  m message  s stop  t start  r restart  R reset"
	if m.sessions {
		keys = "q quit  tab containers  / filter  k kick  m message;  of its container: s stop  r restart  R reset"
	}
	status := line{m.status, plain}
	switch {
	case m.ask != "":
		status = line{m.ask + string(m.typed) + "_", heading}
	case m.failed != "":
		status = line{m.failed, heading}
	case m.status == "" && m.filter != "":
		status = line{"filter: " + m.filter + "  (esc ends it)", plain}
	}
	status.text = printable.Text(status.text)
	return []line{status, {keys, faint}}
}
