package wire

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// types are the words of PROTOCOL.md for the types of fields.
var types = map[string]string{"uint8": "u8", "uint16": "u16", "uint32": "u32", "bool": "flag", "string": "str", "[]uint8": "bytes", "[]string": "list"}

func TestTheProtocolIsAsWritten(t *testing.T) {
	text, err := os.ReadFile("../../../PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+ \| [A-Z]\w+) \|.*\| (.*?) ?\| *(.*?) ?\|$`).FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = strings.TrimSpace(m[2] + " | " + m[3])
	}
	if want := fmt.Sprintf("Version: **%d**", Version); !strings.Contains(string(text), want) {
		t.Errorf("PROTOCOL.md does not say %q", want)
	}
	if want := fmt.Sprintf("at most %d bytes", MaxPacket); !strings.Contains(string(text), want) {
		t.Errorf("PROTOCOL.md does not say %q", want)
	}
	k := Kind(1)
	for ; blank(k) != nil; k++ {
		m := reflect.TypeOf(blank(k)).Elem()
		var fields []string
		for i := range m.NumField() {
			f := m.Field(i)
			fields = append(fields, f.Name+" "+types[f.Type.String()])
		}
		fds := fmt.Sprint(blank(k).FDs())
		switch k {
		case KindStart:
			fds = fmt.Sprintf("%d or %d", (&Start{Terminal: true}).FDs(), (&Start{}).FDs())
		case KindBridge:
			fds = fmt.Sprintf("%d to %d", (&Bridge{}).FDs(), (&Bridge{Agent: true, Record: true}).FDs())
		case KindStarted:
			fds = fmt.Sprintf("%d or %d", (&Started{}).FDs(), (&Started{Terminal: true}).FDs())
		}
		key := fmt.Sprintf("%d | %s", k, m.Name())
		want := strings.TrimSpace(fds + " | " + strings.Join(fields, ", "))
		if got, ok := rows[key]; !ok || got != want {
			t.Errorf("PROTOCOL.md: row %q is %q, want %q", key, got, want)
		}
		delete(rows, key)
	}
	if k == 1 {
		t.Fatal("there are no messages")
	}
	for key := range rows {
		t.Errorf("PROTOCOL.md has a message that is none: %q", key)
	}
}
