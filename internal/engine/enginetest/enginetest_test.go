package enginetest

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestAContainerGoesThroughItsLife(t *testing.T) {
	f, ctx := New(), t.Context()
	var started, ran string
	f.OnStart = func(s engine.Spec) { started = s.Name; _, _ = f.Find(ctx, s.Name) } // may ask the engine
	f.OnExec = func(e Exec) { ran = e.Argv[0] }
	s := engine.Spec{Name: "n", Image: "i", Labels: map[string]string{engine.LabelOwner: "5"}, Mounts: []engine.Mount{{Source: "/a", Target: "/m"}}}
	if _, err := f.Create(ctx, s); !errors.Is(err, engine.ErrNoImage) {
		t.Errorf("no image: %v", err)
	}
	f.AddImage("i", "sha256:1", map[string][]byte{"/etc/passwd": []byte("x")})
	made, err := f.Create(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	id := made.ID
	if _, err := f.Create(ctx, s); !errors.Is(err, engine.ErrNameTaken) {
		t.Errorf("the name again: %v", err)
	}
	if b, err := f.ReadFile(ctx, id, "/etc/passwd"); err != nil || string(b) != "x" {
		t.Errorf("the image's file: %q %v", b, err)
	}
	if _, err := f.ReadFile(ctx, id, "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := f.PutFiles(ctx, id, []engine.File{{Path: "/m/x"}}); err == nil {
		t.Error("a file was put into a mount")
	}
	for _, step := range []func() error{
		func() error { return f.PutFiles(ctx, id, []engine.File{{Path: "/x"}}) },
		func() error { return f.Start(ctx, id) },
		func() error { return f.Exec(ctx, id, 5, 5, []string{"p"}) },
	} {
		if err := step(); err != nil {
			t.Error(err)
		}
	}
	if c, err := f.Find(ctx, "n"); err != nil || c.State != engine.Running || started != "n" || ran != "p" {
		t.Errorf("started: %+v %v %q %q", c, err, started, ran)
	}
	if err := f.PutFiles(ctx, id, nil); err == nil {
		t.Error("a container that was started was written")
	}
	if l, err := f.List(ctx, false); err != nil || len(l) != 1 {
		t.Errorf("list: %v %v", l, err)
	}
	if err := f.Remove(ctx, id); err != nil {
		t.Error(err)
	}
	if _, err := f.Find(ctx, "n"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}

func TestACallFailsAsItIsTold(t *testing.T) {
	f := New()
	f.Fail("Find", engine.ErrDown)
	if _, err := f.Find(t.Context(), "n"); !errors.Is(err, engine.ErrDown) {
		t.Errorf("got %v", err)
	}
	f.Fail("Find", nil)
	f.Add(engine.Container{Name: "n", State: engine.Paused})
	if c, err := f.Find(t.Context(), "n"); err != nil || c.State != engine.Paused || f.Calls("Find") != 2 {
		t.Errorf("got %+v %v, %d calls", c, err, f.Calls("Find"))
	}
}
