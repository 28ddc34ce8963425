package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextKeepsLanguagesAndReplacesWhatSteersATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "two  blanks": "two  blanks", "grüße 日本語 👩\u200d🚀 می\u200cخواهم": "grüße 日本語 👩\u200d🚀 می\u200cخواهم",
		"\x1b[2J\a\x7f\u009b": "?[2J???", "a\nb\tc\r": "a?b?c?", "h\u202ei\u2066\u200b": "h?i??", "\xff\xfe": "??", "\ufffd": "?", "": "",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLineFoldsLinesIntoOne(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", " x ": "x", "h\u202ei\u200b": "hi", "\x1b[2J\a\x7f\u009b": "[2J", "grüße 😀": "grüße 😀", "/home/a  b": "/home/a  b", " a\r\n\tb \x1b[31m\n": "a b [31m", "one:\n    two \u2028 three": "one: two three",
		"\n \t": "", "\xff\xfe": "", "a \x1b\n b": "a b", "a \n": "a", "": "",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLineIsCutBetweenCharacters(t *testing.T) {
	for _, in := range []string{strings.Repeat("x", MaxLine+1), strings.Repeat("ä", MaxLine), "x" + strings.Repeat("ä", MaxLine), "x" + strings.Repeat(" ", 2*MaxLine) + "y"} {
		if got := Line(in); len(got) > MaxLine || len(got) < MaxLine-utf8.UTFMax || !strings.HasSuffix(got, "...") || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	}
	if whole := strings.Repeat("x", MaxLine); Line(whole) != whole {
		t.Error("a line of the largest size was cut")
	}
}

func TestJSONIsPrintableASCIIThatMeansTheSame(t *testing.T) {
	const in = "grüße \x7f\u009b31m \u202e\u2066\u200e\u061c 😀 \U000e0041 <&>"
	text, err := json.Marshal(map[string]string{in: in})
	if err != nil {
		t.Fatal(err)
	}
	got := JSON(text)
	if strings.ContainsFunc(string(got), func(r rune) bool { return r < ' ' || r > '~' }) || !strings.Contains(string(got), `\u009b31m \u202e\u2066\u200e\u061c`) {
		t.Errorf("%q", got)
	}
	var again map[string]string
	if err := json.Unmarshal(got, &again); err != nil || again[in] != in {
		t.Errorf("%q means %q, %v", got, again, err)
	}
}

// FuzzPrintable: whatever comes, the result is text that a terminal shows as it
// is, and cleaning it again changes nothing.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"", "plain", " a\r\n\tb\x1b]0;title\a", "\u202e\u009b31m", "\xff\xc3", " ä\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, line := Text(s), Line(s)
		long := Line(strings.Repeat(s, 1+MaxLine/(1+len(s))))
		for _, got := range []string{text, line, long} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, IsUnsafe) {
				t.Errorf("%q became %q", s, got)
			}
		}
		if utf8.RuneCountInString(text) != utf8.RuneCountInString(s) || Text(text) != text {
			t.Errorf("Text: %q became %q", s, text)
		}
		if len(line) > MaxLine || len(long) > MaxLine || Line(line) != line || strings.Trim(line, " ") != line {
			t.Errorf("Line: %q became %q", s, line)
		}
	})
}
