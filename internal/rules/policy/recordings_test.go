package policy

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/config"
)

func TestLimitOfRecordingsIsOneForEachTemplate(t *testing.T) {
	const a, b = "record = /r/%u/%x.cast\n", "record = /s/%u/%x.cast\n"
	for text, want := range map[string][]RecordLimit{
		"":                                   nil,
		"[dockersh]\n" + a:                   nil,
		"[dockersh]\nrecordmax = 1g\n":       nil,
		"[dockersh]\nrecordmax = 1.5k\n" + a: {{"/r/%u/%x.cast", 1536, nil}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[group \"g\"]\n" + b:                             {{"/r/%u/%x.cast", 1024, nil}, {"/s/%u/%x.cast", 1024, nil}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[group \"g\"]\nrecordmax = 2k\n":                 {{"/r/%u/%x.cast", 2048, nil}},
		"[dockersh]\nrecordmax = 2k\n" + a + "[user \"u\"]\nrecordmax = 1k\n":                  {{"/r/%u/%x.cast", 2048, nil}},
		"[dockersh]\nrecordmax = 2k\n" + a + "[user \"u\"]\nrecordmax =\n":                     nil,
		"[dockersh]\n" + a + "[user \"u\"]\nrecordmax = 1k\n":                                  nil,
		"[dockersh]\nrecordmax = 999999999999999999999999g\n" + a:                              {{"/r/%u/%x.cast", 1 << 62, nil}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[user \"u\"]\nrecord = /one.cast\nrecordmax =\n": {{"/r/%u/%x.cast", 1024, []string{"/one.cast"}}},
	} {
		file, err := config.Parse("rc", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := RecordLimits(file); err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s%v %v, want %v", text, got, err, want)
		}
	}
}

func limitsOf(t *testing.T, text string) string {
	t.Helper()
	file, err := config.Parse("rc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	all, err := RecordLimits(file)
	if err != nil {
		return "error"
	}
	return fmt.Sprint(all)
}

func TestLimitKnowsTheTemplatesOfOtherLimits(t *testing.T) {
	const base = "[dockersh]\nrecord = /r/%u/%x.cast\nrecordmax = 1k\n"
	for text, want := range map[string]string{
		"[group \"a\"]\nrecord = /r/audited/%x.cast\nrecordmax =\n":    "[{/r/%u/%x.cast 1024 [/r/audited/%x.cast]}]",
		"[user \"a\"]\nrecord = /r/%U/%x.cast\nrecordmax = 2k\n":       "[{/r/%U/%x.cast 2048 [/r/%u/%x.cast]} {/r/%u/%x.cast 1024 [/r/%U/%x.cast]}]",
		"[user \"a\"]\nrecord = /r/%u/%x\n":                            "[{/r/%u/%x 1024 []} {/r/%u/%x.cast 1024 []}]",
		"[user \"a\"]\nrecord = /r//%u/./%x.cast\nrecordmax = 2k\n":    "[{/r/%u/%x.cast 2048 []}]",
		"[user \"a\"]\nrecord = /r/./%u//%x.cast\nrecordmax =\n":       "[]",
		"[group \"a\"]\nrecord = /s/%u/x\n[user \"b\"]\nrecordmax =\n": "[]",
		"[group \"a\"]\nrecordmax =\n[user \"b\"]\nrecord = /s/%u/x\n": "[]",
		// The later group's limit counts for members of both, and the user's sections have no user in common.
		"[group \"a\"]\nrecord = /s/%u/x\nrecordmax = 3k\n[group \"b\"]\nrecord = /t/%u/x\n": "[{/r/%u/%x.cast 1024 [/s/%u/x /t/%u/x]} {/s/%u/x 3072 [/r/%u/%x.cast]} {/t/%u/x 3072 [/r/%u/%x.cast]}]",
		"[group \"a\"]\nrecord = /s/%u/x\n[group \"b\"]\nrecord = /t/%u/x\nrecordmax = 3k\n": "[{/r/%u/%x.cast 1024 [/t/%u/x]} {/s/%u/x 1024 [/t/%u/x]} {/t/%u/x 3072 [/r/%u/%x.cast /s/%u/x]}]",
		"[user \"a\"]\nrecord = /s/%u/x\nrecordmax =\n[user \"b\"]\nrecord = /t/%u/x\n":      "[{/r/%u/%x.cast 1024 [/s/%u/x]} {/t/%u/x 1024 [/s/%u/x]}]",
	} {
		if got := limitsOf(t, base+text); got != want {
			t.Errorf("%s%s, want %s", text, got, want)
		}
	}
}

func TestErrorInASectionLeavesNoLimits(t *testing.T) {
	const base = "[dockersh]\nrecord = /r/%u/%x.cast\nrecordmax = 1k\n"
	const wrong = "sudo\ncapdrop = ALL\n"
	for _, text := range []string{base + wrong, base + "[group \"a\"]\nrecordmax =\n" + wrong, base + "[user \"a\"]\nrecordmax =\n" + wrong} {
		if got := limitsOf(t, text); got != "error" {
			t.Errorf("%s%s", text, got)
		}
	}
}
