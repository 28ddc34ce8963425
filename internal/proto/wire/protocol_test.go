package wire

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// types has the names that PROTOCOL.md uses for the types of fields.
var types = map[string]string{
	"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "[]uint64": "numbers", "bool": "flag", "string": "str", "[]uint8": "bytes", "[]string": "list", "*wire.Inherited": "inherited",
}

// messages parses PROTOCOL.md. Both results are by "KIND | NAME": the number of
// descriptors of each message, and its fields with their types, in order.
func messages(text string) (fds map[string]string, fields map[string][]string) {
	fds, fields = map[string]string{}, map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+ \| [A-Z]\w+) \|.*\| ([^|]*) \|$`).FindAllStringSubmatch(text, -1) {
		fds[m[1]] = m[2]
		_, section, _ := strings.Cut(text, "\n### "+strings.Fields(m[1])[2]+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		for _, f := range regexp.MustCompile(`(?m)^\| ([A-Z]\w*) \| (\w+) \| .+ \|$`).FindAllStringSubmatch(section, -1) {
			fields[m[1]] = append(fields[m[1]], f[1]+" "+f[2])
		}
	}
	return fds, fields
}

func TestProtocolIsAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(page), "\n## Order\n")
	written, fieldsOf := messages(text)
	if want := fmt.Sprintf("Version: **%d**", Version); !strings.Contains(text, want) {
		t.Errorf("PROTOCOL.md does not say %q", want)
	}
	if want := fmt.Sprintf("messages of agents, **%d**", AgentVersion); !strings.Contains(string(page), want) {
		t.Errorf("PROTOCOL.md does not say %q", want)
	}
	if want := fmt.Sprintf("at most %d bytes", MaxPacket); !strings.Contains(text, want) {
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
		case KindJoined:
			fds = fmt.Sprintf("%d or %d", (&Joined{}).FDs(), (&Joined{Outcome: JoinNamespace}).FDs())
		case KindStarted:
			fds = fmt.Sprintf("%d to %d", (&Started{}).FDs(), (&Started{Terminal: true, Piped: true, SSHAgent: true}).FDs())
		}
		key := fmt.Sprintf("%d | %s", k, m.Name())
		if got, ok := written[key]; !ok || got != fds {
			t.Errorf("PROTOCOL.md: %q has %q descriptors, want %q", key, got, fds)
		}
		if got := fieldsOf[key]; !slices.Equal(got, fields) {
			t.Errorf("PROTOCOL.md: the fields of %q are %q, want %q", key, got, fields)
		}
		delete(written, key)
	}
	if k == 1 {
		t.Fatal("there are no messages")
	}
	for key := range written {
		t.Errorf("PROTOCOL.md has an unknown message: %q", key)
	}
}
