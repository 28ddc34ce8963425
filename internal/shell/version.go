package shell

import (
	"runtime/debug"

	"dockersh/internal/sys"
)

// printVersion is the only use of stdout by dockersh itself.
func printVersion() int {
	v := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		v = b.Main.Version
	}
	_, _ = sys.Write(1, []byte("dockersh "+v+"\n"))
	return 0
}
