package facts

import (
	"strings"
	"testing"
)

func TestServicesAreThoseOfTheUsers(t *testing.T) {
	h := &Host{Users: []*User{{}, {SSHD: ParseOptions("usepam yes\npamservicename others\n")}, {SSHD: ParseOptions("pamservicename sshd\n")}}}
	if got := strings.Join(h.PAMServices(), " "); got != "sshd others" {
		t.Errorf("%q", got)
	}
}

func TestSessionRulesAreReadThroughIncludes(t *testing.T) {
	files := map[string]string{
		"sshd": "auth required pam_unix.so\n#session required pam_no.so\nsession\trequired pam_dockersh.so close # first\n" +
			"@include common-session\nsession include extra\n-session [success=ok default=bad] \\\n  pam_selinux.so open\nsession required\n" +
			"session required /x/pam_dockersh.so open group=students user=alice\n",
		"common-session": "session optional pam_systemd.so\n@include common-session\n",
		"extra":          "SESSION required pam_limits.so\npassword required pam_unix.so\n",
	}
	rules := SessionRules("sshd", func(service string) (text, file string) { return files[service], "/etc/pam.d/" + service })
	var got []string
	for _, r := range rules {
		got = append(got, r.Control+" "+r.Module+" "+strings.Join(r.Args, " "))
	}
	for i, want := range map[int]string{0: "required pam_dockersh.so close", 1: "optional pam_systemd.so ",
		-3: "required pam_limits.so ", -2: "[success=ok default=bad] pam_selinux.so open",
		-1: "required /x/pam_dockersh.so open group=students user=alice"} {
		if i < 0 {
			i += len(got)
		}
		if i < 0 || i >= len(got) || got[i] != want {
			t.Errorf("line %d: %q, want %q", i, got, want)
		}
	}
	s := &PAMService{Sessions: rules}
	if at := s.Opening(); at != len(rules)-1 || !rules[0].ActsAt("close") || rules[0].ActsAt("open") || rules[at].ActsAt("close") {
		t.Errorf("%d %+v", at, rules)
	}
	if rules[0].File != "/etc/pam.d/sshd" || rules[0].Line != 3 {
		t.Errorf("%+v", rules[0].Location)
	}
}
