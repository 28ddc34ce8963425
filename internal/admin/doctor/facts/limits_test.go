package facts

import (
	"testing"

	"github.com/dockersh/dockersh/internal/host/account"
)

func TestLimitsAreThoseOfTheLineThatCountsMost(t *testing.T) {
	alice := account.User{Name: "alice", UID: 1001}
	for text, want := range map[string]Limits{
		"":                                     {},
		"* hard nproc 500\n":                   {Processes: 500},
		"* soft nproc 400\n* hard nproc 500\n": {Processes: 400},
		"* - nproc 500 # for all\n#alice - nproc 5\n":                    {Processes: 500},
		"alice - nproc 100\n@students - nproc 200\n* - nproc 300\n":      {Processes: 100},
		"@students - nproc 200\n@others - nproc 10\n* - nproc 300\n":     {Processes: 200},
		"@students - nproc unlimited\n* - nproc 300\n":                   {},
		"* - nproc 300\n* - nproc 301\n":                                 {Processes: 301},
		"1000: - as 1024\nbob - as 5\n":                                  {AddressSpace: 1 << 20},
		"1000:1001 - as 1024\n":                                          {AddressSpace: 1 << 20},
		"1002:2000 - as 1024\n500:1000 - as 1\nx:y - as 1\nalice as 1\n": {},
	} {
		if got := LimitsOf([]string{text}, alice, []string{"alice", "students"}); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if got := LimitsOf([]string{"* - nproc 300\n"}, account.User{Name: "root"}, nil); got != (Limits{}) {
		t.Errorf("root: %+v", got)
	}
}
