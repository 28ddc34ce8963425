package installed

import (
	"context"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Gone returns those containers that belong to one user alone whose account no longer
// exists: its name is unknown, or has another uid by now. No login can enter such a
// container. While a name service is down nobody counts as unknown.
func Gone(ctx context.Context, db *account.DB, all []*engine.Container) (gone []*engine.Container, err error) {
	var names []string
	for _, c := range all {
		if owner, ours := policy.OwnerOf(c.Labels); ours && owner.Personal() {
			names = append(names, c.Labels[engine.LabelUser])
		}
	}
	known, certain, err := db.Known(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		owner, ours := policy.OwnerOf(c.Labels)
		u, ok := known[c.Labels[engine.LabelUser]]
		if ours && owner.Personal() && (ok && u.UID != owner.UID || !ok && certain) {
			gone = append(gone, c)
		}
	}
	return gone, nil
}
