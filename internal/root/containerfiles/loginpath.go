package containerfiles

import (
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
)

// LoginPath returns the file that sets in login shells the PATH of an image, whose own
// /etc/profile sets another one. env are the settings that replace the image's, in the
// form NAME=VALUE.
func LoginPath(path string, env []string) []engine.File {
	if path == "" {
		return nil
	}
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			path = value
		}
	}
	text := "# Written by dockersh: the PATH of the container, which /etc/profile replaces.\n" +
		"PATH='" + strings.ReplaceAll(path, "'", `'\''`) + "'\nexport PATH\n"
	return []engine.File{{Path: engine.LoginPath, Mode: 0o644, Data: []byte(text), Optional: true}}
}
