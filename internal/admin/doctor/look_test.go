package doctor

import "testing"

func TestPAMLinesThatReadTheHomeAreFound(t *testing.T) {
	text := "# pam_env.so user_readenv=1\nsession required pam_env.so\nsession required pam_env.so user_readenv=1 # yes\nsession required pam_env.so user_readenv=0\n"
	got := findEnvReaders("/etc/pam.d/sshd", text)
	if len(got) != 1 || got[0].Line != 3 || got[0].File != "/etc/pam.d/sshd" {
		t.Errorf("%+v", got)
	}
}
