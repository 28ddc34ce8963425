package dialect

import (
	"context"
	"fmt"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/transport"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// RemoveLeftover removes what holds the name of a container in the storage of an engine that
// does not know the container, and reports whether there was something. An engine that is
// killed while it makes or removes one leaves that, and then refuses the name until somebody
// removes it. The storage is shared: what another program keeps there stays, and so does
// what may be the former container. Those are engine.ErrLeftover.
func (d *Dialect) RemoveLeftover(ctx context.Context, t *transport.Transport, s engine.Spec) (bool, error) {
	if d.leftovers == nil {
		return false, nil
	}
	out, err := d.run(ctx, t, append(d.leftovers, "--filter=name=^"+s.Name+"$"))
	if err != nil {
		return false, fmt.Errorf("%w: %s", err, printable.Line(out.Stderr))
	}
	id, kind := leftover(out.Stdout, s.Name)
	if id == "" {
		return false, nil
	}
	if !mayRemove(s, id, kind) {
		return false, fmt.Errorf("%w: %s %s of %s", engine.ErrLeftover, printable.Line(kind), id, s.Name)
	}
	// Without --force: nothing that is mounted.
	if out, err := d.run(ctx, t, []string{"rm", id}); err != nil {
		return false, fmt.Errorf("%w: %s: %w: %s", engine.ErrLeftover, id, err, printable.Line(out.Stderr))
	}
	return true, nil
}

func mayRemove(s engine.Spec, id, kind string) bool {
	return kind == "storage" && !s.FormerUnknown && id != s.Former
}

// leftover finds a name in lines of an id, a state, a name, and a kind. Containers, which have
// other states, are skipped: their kind is a command, which can be any.
func leftover(lines, name string) (id, kind string) {
	for line := range strings.Lines(lines) {
		if f := strings.Fields(line); len(f) == 4 && strings.EqualFold(f[1], "storage") && f[2] == name && ValidID(f[0]) {
			return f[0], f[3]
		}
	}
	return "", ""
}
