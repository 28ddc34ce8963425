package sessions

import (
	"context"
	"sync"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Count is how many live sessions there are, logins that wait for their container, and
// connections that have no session.
type Count struct{ Sessions, Waiting, Connections int }

func (c *Count) add(s state.Session) {
	switch {
	case s.Connection:
		c.Connections++
	case s.Waiting:
		c.Waiting++
	default:
		c.Sessions++
	}
}

// CountLive counts the entries of root brokers, by their names alone, and those of users' own
// brokers, which may write what they like.
func CountLive(ctx context.Context) (root, ofUsers Count) {
	var work sync.WaitGroup
	work.Go(func() {
		entries, _ := ofUserBrokers(ctx, nil)
		for _, e := range entries {
			ofUsers.add(e.Session)
		}
	})
	for _, in := range state.RunDir(paths.Run).Sessions().ByContainer() {
		for _, s := range in {
			if s.IsLive() {
				root.add(s)
			}
		}
	}
	work.Wait()
	return root, ofUsers
}
