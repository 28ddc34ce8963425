package template

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

var alice = Vars{User: "alice", Home: "/home/alice", Shell: "/bin/bash", UID: 1001, GID: 100}

// validName is Docker's rule, and ours for directories.
func validName(s string) bool {
	return syntax.FirstOther(s, nameChars) < 0 && len(s) >= 2 && len(s) <= maxName && syntax.Alnum(s[0])
}

func nameOf(t *testing.T, template, user string) string {
	t.Helper()
	parts, bad := Parse(template)
	if bad != nil {
		t.Fatal(bad.Text)
	}
	return parts.ContainerName(Vars{User: user, Home: "/h", UID: 7})
}

func TestEscapedNameDiffersFromEveryOther(t *testing.T) {
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

func TestLongNameKeepsItsBeginningAndAHash(t *testing.T) {
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
	// A template that ends as a hash begins, and a user with the name of the hash.
	template := strings.Repeat("t", 60) + "_-%u"
	if got, other := nameOf(t, template, long), nameOf(t, template, strings.TrimPrefix(nameOf(t, template, long), template[:62])); got == other {
		t.Errorf("a user with the name of another user's hash meets them in %s", got)
	}
}

func TestIdentitySaysForWhomANameStands(t *testing.T) {
	for _, c := range []struct {
		template string
		v        Vars
		want     string
	}{
		{"classroom", alice, ""},
		{"%u_dockersh", alice, "u=alice"},
		{"x%Gy%u%U%u", alice, "u=alice,U=1001,G=100"},
		{"%h%s", alice, "h=/home/alice,s=/bin/bash"},
		{"%u", Vars{User: "a,U=1%"}, "u=a%2cU%3d1%25"},
	} {
		parts, _ := Parse(c.template)
		if got := parts.Identity(c.v); got != c.want {
			t.Errorf("%s: got %s, want %s", c.template, got, c.want)
		}
	}
	// The names are equal, the users are not.
	parts, _ := Parse("%u%U")
	a, b := Vars{User: "a1", UID: 2}, Vars{User: "a", UID: 12}
	if parts.ContainerName(a) != parts.ContainerName(b) || parts.Identity(a) == parts.Identity(b) {
		t.Error("identity does not tell a1 with uid 2 from a with uid 12")
	}
}

// With one sequence in the template, two values never become the same name, and every name
// is valid.
func FuzzContainerName(f *testing.F) {
	for _, seed := range [][3]string{
		{"%u_dockersh", "a@b", "a_b"}, {"%u", "a", "a_-"}, {"0%u", "_.", "."}, {"%u_-", "", "0_."}, {"%u", "", "\x00"},
		{"%u", strings.Repeat("a", 100), strings.Repeat("a", 101)},
		{strings.Repeat("t", 60) + "_-%u", strings.Repeat("a", 50), strings.Repeat("0", 32)},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, text, a, b string) {
		parts, bad := Parse(text)
		if text == "" || bad != nil || CheckContainerName(text) != nil {
			return
		}
		one, two := parts.ContainerName(Vars{User: a}), parts.ContainerName(Vars{User: b})
		variables := 0
		for _, p := range parts {
			if p.letter != 0 {
				variables++
			}
		}
		if !validName(one) || !validName(two) {
			t.Fatalf("%q becomes %q and %q", text, one, two)
		}
		if variables == 1 && parts.Uses("u") && a != b && one == two {
			t.Fatalf("%q and %q meet in %q with %q", a, b, one, text)
		}
		if same := parts.Identity(Vars{User: a}) == parts.Identity(Vars{User: b}); same != (a == b || !parts.Uses("u")) {
			t.Fatalf("identity of %q and %q with %q", a, b, text)
		}
	})
}
