package human

import (
	"strings"
	"testing"
	"time"
)

func TestValuesAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		Count(1, "session"): "1 session", Count(0, "session"): "0 sessions",
		Bytes(-1): "-", Bytes(999): "999B", Bytes(1234567): "1.23MB", Bytes(5e15): "5e+03TB",
		Age(-1): "-", Age(59 * time.Second): "59s", Age(49 * time.Hour): "2d", Age(3599 * time.Second): "59m",
		Clock(3725): "1:02:05", Clock(-1): "0:00:00", Clock(90061): "1d 1:01:01",
		FirstThree([]string{"a", "b"}): "a, b", FirstThree([]string{"a", "b", "c", "d", "e"}): "a, b, c and 2 more",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShellReadsBackTheSameWords(t *testing.T) {
	words := []string{"docker", "create", "--name=a_b", "", "it's", "$HOME", "a b"}
	if got := ShellWords(words); got != `docker create --name=a_b '' 'it'\''s' '$HOME' 'a b'` {
		t.Error(got)
	}
	if got := ShellWords([]string{"\x1b[2J"}); strings.ContainsRune(got, 0x1b) {
		t.Errorf("%q", got)
	}
}
