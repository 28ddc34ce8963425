package containers

import (
	"context"

	"github.com/dockersh/dockersh/internal/host/account"
)

// goneUsers reports for each container whether it belongs to one user alone, and the
// account that it was made for exists no more: its name is unknown, or has another uid by
// now. No login can enter such a container. While a name service is down nobody counts as
// unknown.
func goneUsers(ctx context.Context, users *account.DB, all []Container) ([]bool, error) {
	var names []string
	for _, c := range all {
		if c.owner.Personal() {
			names = append(names, c.User())
		}
	}
	gone := make([]bool, len(all))
	known, certain, err := users.Known(ctx, names)
	if err != nil {
		return gone, err
	}
	for i, c := range all {
		u, ok := known[c.User()]
		gone[i] = c.owner.Personal() && (ok && u.UID != c.owner.UID || !ok && certain)
	}
	return gone, nil
}
