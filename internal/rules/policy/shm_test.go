package policy

import "testing"

func TestSharedMemoryIsAtMostHalfOfTheMemory(t *testing.T) {
	for _, c := range []struct {
		memory, option, want string
	}{
		{"32m", "", "16777216"}, {"32M", "", "16777216"}, {"0.05g", "", "26843545"}, {"65536k", "", "33554432"}, {"67108864", "", "33554432"}, {"67108864b", "", "33554432"},
		{"", "", ""}, {"128m", "", ""}, {"2g", "", ""}, {"1", "", ""},
		{"32m", "--shm-size=1g", ""}, {"32m", "--shm-size", ""}, {"32m", "--ipc=host", ""}, {"32m", "--init", "16777216"},
	} {
		var options [][]string
		if c.option != "" {
			options = [][]string{{c.option}}
		}
		if got := shmSize(c.memory, options); got != c.want {
			t.Errorf("memory %q, %q: got %q, want %q", c.memory, c.option, got, c.want)
		}
	}
}
