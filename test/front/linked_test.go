package front_test

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"
)

// The program runs on hosts without the C library that it was built with, reads nothing of the
// user's before main, and is at another address each time.
func TestProgramIsStatic(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"FRONTCC=cc"}} {
		bin := t.TempDir()
		make := exec.Command("make", append([]string{"-s", "-C", "../..", "front", "BIN=" + bin}, args...)...)
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		f, err := elf.Open(filepath.Join(bin, "dockersh"))
		must(t, err)
		defer f.Close()
		flags, err := f.DynValue(elf.DT_FLAGS_1)
		must(t, err)
		const want = uint64(elf.DF_1_PIE | elf.DF_1_NOW)
		if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 || f.Type != elf.ET_DYN || len(flags) != 1 || flags[0]&want != want {
			t.Errorf("%v: type %v, libraries %q, flags %#x, %v", args, f.Type, libraries, flags, err)
		}
		has := map[elf.ProgType]elf.ProgFlag{}
		for _, p := range f.Progs {
			has[p.Type] = p.Flags
		}
		_, loader := has[elf.PT_INTERP]
		_, relro := has[elf.PT_GNU_RELRO]
		if loader || !relro || has[elf.PT_GNU_STACK]&elf.PF_X != 0 {
			t.Errorf("%v: segments %v", args, has)
		}
	}
}
