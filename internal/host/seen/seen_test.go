package seen

import "testing"

func TestNamesStayForOtherProcesses(t *testing.T) {
	d := Dir(t.TempDir())
	if d.Has("a") || d.Has("") {
		t.Error("it has names")
	}
	for range 2 {
		if err := d.Add("a"); err != nil {
			t.Fatal(err)
		}
	}
	if !d.Has("a") || !d.ReadOnly().Has("a") || d.Has("b") {
		t.Error("it has not exactly the name that was added")
	}
	if err := d.ReadOnly().Add("b"); err != nil || d.Has("b") {
		t.Errorf("a reader added a name: %v", err)
	}
	for _, name := range []string{"", ".", "..", "../a", "a/b"} {
		if err := d.Add(name); err == nil {
			t.Errorf("%q was added", name)
		}
	}
	if sub := d + "/missing/dir"; sub.Add("a") != nil || !sub.Has("a") {
		t.Error("not added in a directory that was missing")
	}
	if err := (d + "/a/dir").Add("a"); err == nil {
		t.Error("added below a file")
	}
}
