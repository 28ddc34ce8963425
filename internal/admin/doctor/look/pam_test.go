package look

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCommandsOfKeysAreFoundBehindOtherOptions(t *testing.T) {
	for line, want := range map[string]bool{
		`command="x" ssh-ed25519 AAAA`:                                 true,
		`restrict,command="x" ssh-ed25519 AAAA`:                        true,
		`from="10.0.0.0/8,!10.0.0.1",command="x y" ssh-ed25519 AAAA`:   true,
		`environment="A=\"b c\"",pty,command="x" ssh-ed25519 AAAA`:     true,
		`  Restrict,Command="x" ssh-ed25519 AAAA`:                      true,
		`ssh-ed25519 AAAA comment,command="x"`:                         false,
		`#restrict,command="x" ssh-ed25519 AAAA`:                       false,
		`environment="A=b,command=" ssh-ed25519 AAAA`:                  false,
		`from="10.0.0.0/8" ssh-ed25519 AAAA alice says ,command="none`: false,
	} {
		cmd := exec.Command("/bin/grep", "-qEi", forcedCommand)
		cmd.Stdin = strings.NewReader(line + "\n")
		if got := cmd.Run() == nil; got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
