package look

import "testing"

func TestPAMLinesThatReadTheHomeAreFound(t *testing.T) {
	text := "# pam_env.so user_readenv=1\nsession required pam_env.so\nsession required pam_env.so user_readenv=1 # yes\nsession required pam_env.so user_readenv=0\n"
	got := findEnvReaders("/etc/pam.d/sshd", text)
	if len(got) != 1 || got[0].Line != 3 || got[0].File != "/etc/pam.d/sshd" {
		t.Errorf("%+v", got)
	}
}

func TestJobsThatPruneAreFound(t *testing.T) {
	for line, want := range map[string]bool{
		"docker system prune -f":                                               true,
		"0 4 * * * root /usr/bin/docker container prune --force":               true,
		"ExecStart=/usr/bin/podman system prune --all":                         true,
		`5 5 * * 0 sh -c "cd /;docker system prune -af"`:                       true,
		"# docker system prune":                                                false,
		"docker image prune -a":                                                false,
		"docker system prune -f --filter label!=dockersh.uid":                  false,
		"docker container prune -f --filter 'label!=dockersh.uid' # of nobody": false,
		"apt-get autoremove; echo prune the roses of the system":               false,
	} {
		if got := findPrunes("f", "x\n"+line+"\n"); (len(got) == 1 && got[0].Line == 2) != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
