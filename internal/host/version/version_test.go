package version

import (
	"runtime/debug"
	"testing"
)

func TestVersionIsThatOfTheBuildInformation(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("a test without build information")
	}
	if got := Get(); got != info.Main.Version || got == "" || got == unknown {
		t.Errorf("%q, want %q", got, info.Main.Version)
	}
}

func TestVersionThatMakeWroteIsTheProgramsOwn(t *testing.T) {
	number = "1.2.3"
	defer func() { number = "" }()
	if got := Get(); got != "1.2.3" {
		t.Errorf("%q", got)
	}
}

func TestAProgramWithoutBuildInformationHasNoVersion(t *testing.T) {
	for _, exe := range []string{"", "\x7fELF", magic, magic + "\nmod\t", magic + "\nmod\tpath", magic + "\nmod\tpath\t\n"} {
		if got := find(exe); got != unknown {
			t.Errorf("%q: %q", exe, got)
		}
	}
	if got := find(magic + "0w\nmod\tother\tv9\n" + magic + "\npath\tx\nmod\tpath\tv1.2.3\th1:x\n"); got != "v1.2.3" {
		t.Errorf("%q", got)
	}
}
