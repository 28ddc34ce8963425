package look

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func lookAtEngines(ctx context.Context, h *facts.Host, db *account.DB, open engine.Opener) {
	for _, u := range h.Users {
		if u.Settings == nil || slices.ContainsFunc(h.Engines, func(e *facts.Engine) bool { return e.Socket == u.Settings.DockerSocket }) {
			continue
		}
		e := &facts.Engine{Socket: u.Settings.DockerSocket}
		h.Engines = append(h.Engines, e)
		if err := lookAtEngine(ctx, e, policy.EngineOf(u.Settings), db, open); err != nil {
			e.Err = err.Error()
		}
	}
}

// oldest is how many containers, the oldest, are looked at for the installation that made them.
const oldest = 20

// lostHelpers returns the directories that the oldest containers mount programs of dockersh
// from, and that are gone.
func lostHelpers(ctx context.Context, d engine.Engine, all []*engine.Container) (lost []string) {
	all = slices.DeleteFunc(slices.Clone(all), func(c *engine.Container) bool { _, ours := policy.OwnerOf(c.Labels); return !ours })
	slices.SortFunc(all, func(a, b *engine.Container) int { return a.Created.Compare(b.Created) })
	for _, c := range all[:min(len(all), oldest)] {
		found, err := d.Find(ctx, c.Name)
		if err != nil {
			continue // it was just removed
		}
		at := policy.HelpersOf(found.Mounts)
		if _, err := os.Stat(at); at != "" && errors.Is(err, os.ErrNotExist) && !slices.Contains(lost, at) {
			lost = append(lost, at)
		}
	}
	return lost
}

func lookAtEngine(ctx context.Context, e *facts.Engine, at engine.Address, db *account.DB, open engine.Opener) error {
	d, err := open(at)
	if err != nil {
		return err
	}
	defer d.Close()
	if e.About, err = d.About(ctx); err != nil {
		return err
	}
	if at.Local() {
		profiles, _ := os.ReadFile("/sys/kernel/security/apparmor/profiles") // there is no AppArmor
		e.Profiles = slices.DeleteFunc([]string{"crun", "podman"}, func(name string) bool {
			return !strings.Contains("\n"+string(profiles), "\n"+name+" (")
		})
		e.Mended = append(mendedHere(runcChangelog, e.Runc), mendedByRPM(ctx, "/usr/bin/rpm", e.Runc)...)
	}
	all, err := d.List(ctx, false)
	if err != nil {
		return err
	}
	if at.Local() {
		e.Lost = lostHelpers(ctx, d, all)
	}
	gone, err := installed.Gone(ctx, db, all)
	for _, c := range gone {
		owner, _ := policy.OwnerOf(c.Labels)
		e.Gone = append(e.Gone, facts.Container{Name: c.Name, User: c.Labels[engine.LabelUser], UID: owner.UID})
	}
	return err
}
