package policy

import (
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
		"[dockersh]\nrecordmax = 1.5k\n" + a: {{"/r/%u/%x.cast", 1536}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[group \"g\"]\n" + b:                {{"/r/%u/%x.cast", 1024}, {"/s/%u/%x.cast", 1024}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[group \"g\"]\nrecordmax = 2k\n":    {{"/r/%u/%x.cast", 2048}},
		"[dockersh]\nrecordmax = 2k\n" + a + "[user \"u\"]\nrecordmax = 1k\n":     {{"/r/%u/%x.cast", 2048}},
		"[dockersh]\nrecordmax = 2k\n" + a + "[user \"u\"]\nrecordmax =\n":        nil,
		"[dockersh]\n" + a + "[user \"u\"]\nrecordmax = 1k\n":                     nil,
		"[dockersh]\nrecordmax = 999999999999999999999999g\n" + a:                 {{"/r/%u/%x.cast", 1 << 62}},
		"[dockersh]\nrecordmax = 1k\n" + a + "[user \"u\"]\nrecord = /one.cast\n": {{"/r/%u/%x.cast", 1024}},
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
