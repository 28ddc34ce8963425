package config

import (
	"strings"
	"testing"
)

// validName is Docker's rule, and ours for directories.
func validName(s string) bool {
	_, ok := only(s, nameChars)
	return ok && len(s) >= 2 && len(s) <= maxName && alnum(s[0])
}

func nameOf(t *testing.T, template, user string) string {
	t.Helper()
	parts, bad := split(template)
	if bad != nil {
		t.Fatal(bad.text)
	}
	return containerName(parts, Vars{User: user, Home: "/h", UID: 7})
}

func TestANameIsEscapedSoThatItCanBeToldFromAnyOther(t *testing.T) {
	for _, c := range []struct{ template, user, want string }{
		{"%u_dockersh", "alice", "alice_dockersh"},
		{"%u", "a_b", "a__b"},
		{"%u", "a@b", "a_40b"},
		{"%u", `DOM\a`, "DOM_5ca"},
		{"%u", "a.b-c", "a.b-c"},
		{"%u", "ü", "0_._c3_bc"},
		{"%u", "_", "0_.__"},
		{"%u", "-x", "0_.-x"},
		{"%u", "a", "a_-"},
		{"x%u", "-x", "x-x"},
		{"-%u", "x", "0_.-x"},
		{"%h.%U", "x", "0_._2fh.7"},
		{"classroom", "x", "classroom"},
	} {
		if got := nameOf(t, c.template, c.user); got != c.want {
			t.Errorf("%s for %s: got %s, want %s", c.template, c.user, got, c.want)
		}
	}
}

func TestALongNameKeepsItsBeginningAndAHash(t *testing.T) {
	long := strings.Repeat("a", 101)
	got := nameOf(t, "%u", long)
	if len(got) != 94 || !strings.HasPrefix(got, long[:60]+"_-") || !validName(got) {
		t.Errorf("got %s", got)
	}
	if other := nameOf(t, "%u", long+"b"); other == got {
		t.Error("two long names meet")
	}
	if same := nameOf(t, "%u", long[:100]); same != long[:100] {
		t.Errorf("100 bytes: %s", same)
	}
	// A template that ends as a hash begins, and a user called like the hash.
	template := strings.Repeat("t", 60) + "_-%u"
	if got, other := nameOf(t, template, long), nameOf(t, template, strings.TrimPrefix(nameOf(t, template, long), template[:62])); got == other {
		t.Errorf("a user called like the hash of another meets him in %s", got)
	}
}

func TestTheIdentityTellsForWhomANameStands(t *testing.T) {
	for _, c := range []struct {
		template string
		v        Vars
		want     string
	}{
		{"classroom", alice(), ""},
		{"%u_dockersh", alice(), "u=alice"},
		{"x%Gy%u%U%u", alice(), "u=alice,U=1001,G=100"},
		{"%h%s", alice(), "h=/home/alice,s=/bin/bash"},
		{"%u", Vars{User: "a,U=1%"}, "u=a%2cU%3d1%25"},
	} {
		parts, _ := split(c.template)
		if got := identity(parts, c.v); got != c.want {
			t.Errorf("%s: got %s, want %s", c.template, got, c.want)
		}
	}
	// The names are equal, those who meet in them are not.
	parts, _ := split("%u%U")
	a, b := Vars{User: "a1", UID: 2}, Vars{User: "a", UID: 12}
	if containerName(parts, a) != containerName(parts, b) || identity(parts, a) == identity(parts, b) {
		t.Error("identity does not tell a1 with uid 2 from a with uid 12")
	}
}
