package front

import "testing"

func TestMissingProgramIsNamedWithTheContainer(t *testing.T) {
	const line = " cannot be started in the container alice_dockersh: install it there, or use an image that has it"
	for command, want := range map[string]string{
		"rsync --server . /tmp":  "dockersh: rsync" + line,
		"git-upload-pack 'x'":    "dockersh: git-upload-pack" + line,
		"internal-sftp -f AUTH":  "dockersh: sftp-server" + line,
		"nosuchprogram":          "",
		"rsync --server | cat x": "dockersh: rsync" + line,
	} {
		if got := whenNotFound([]string{"sh", "-c", command}, "alice_dockersh"); got != want {
			t.Errorf("%s: %q", command, got)
		}
	}
	if got := whenNotFound([]string{"-sh"}, "alice_dockersh"); got != "" {
		t.Errorf("%q", got)
	}
}
