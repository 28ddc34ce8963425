package conformance

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

func streamCarries(t *testing.T, s *Subject) {
	c := s.run(t)
	stream, err := s.ExecStream(t.Context(), c.ID, engine.Program{UID: 1000, GID: 1001, Env: []string{"A=b c"},
		Argv: []string{"/bin/sh", "-c", `while read -r line; do echo "$line"; done; echo "$A" >&2; exit 44`}})
	ok(t, err)
	defer stream.Close()
	go func() {
		_, _ = stream.Write([]byte("one\ntwo\n"))
		_ = stream.CloseWrite()
	}()
	var out, errs bytes.Buffer
	if err := stream.Copy(&out, &errs); err != nil || out.String() != "one\ntwo\n" || errs.String() != "b c\n" {
		t.Errorf("%q, %q, %v", out.String(), errs.String(), err)
	}
	if code, err := stream.Wait(t.Context()); code != 44 || err != nil {
		t.Errorf("exit code %d %v", code, err)
	}
}

func streamEndsBySignal(t *testing.T, s *Subject) {
	c := s.run(t)
	code, err := engine.Run(t.Context(), s, c.ID, engine.Program{UID: 1000, GID: 1001, Argv: []string{"/bin/sh", "-c", "kill -KILL $$"}})
	if code != 128+9 || err != nil {
		t.Errorf("exit code %d %v", code, err)
	}
}

func streamCloses(t *testing.T, s *Subject) {
	c := s.run(t)
	stream, err := s.ExecStream(t.Context(), c.ID, engine.Program{Argv: []string{"/bin/sh", "-c", "sleep 1; exit 7"}})
	ok(t, err)
	stream.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if code, err := stream.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with its connection: %d %v", code, err)
	}
	if code, err := stream.Wait(t.Context()); code != 7 || err != nil {
		t.Errorf("exit code %d %v", code, err)
	}
}

func execNeedsRunning(t *testing.T, s *Subject) {
	c := s.create(t, s.spec())
	exec := func() error {
		return s.Exec(t.Context(), c.ID, engine.As{UID: 1000, GID: 1001}, []string{"/bin/sh", "-c", "exit 0"})
	}
	stream := func() error {
		_, err := engine.Run(t.Context(), s, c.ID, engine.Program{UID: 1000, GID: 1001,
			Argv: []string{"/bin/sh", "-c", "exit 0"}})
		return err
	}
	if exec() == nil || stream() == nil {
		t.Error("it ran in a container that does not run")
	}
	ok(t, s.Start(t.Context(), c.ID))
	ok(t, exec())
	ok(t, stream())
	if err := s.Exec(t.Context(), c.ID, engine.As{UID: 1000, GID: 1001}, nil); err == nil {
		t.Error("nothing was run")
	}
}
