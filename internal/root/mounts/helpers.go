package mounts

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// A container mounts our programs by their path, for as long as it exists. Another installation
// (a package after make install, another PREFIX) has them elsewhere: its containers go on with
// those of the installation that made them, while these are there.

// OwnInit returns the program that a container must have at policy.InitInside; own is the
// directory of ours. Another installation's counts if only root can change it.
func OwnInit(found *engine.Container, own string) OwnFile {
	dir := own
	if at := policy.HelpersOf(found.Mounts); at != "" && at != own && trustedpath.Program(initIn(at)) == nil {
		dir = at
	}
	return OwnFile{Inside: policy.InitInside, Ours: initIn(dir)}
}

func initIn(dir string) string { return filepath.Join(dir, filepath.Base(policy.InitInside)) }

// CheckHelpers refuses a container that is about to be started and whose installation is gone.
// A link to what is here by now lets it start.
func CheckHelpers(found *engine.Container, own string) error {
	at := policy.HelpersOf(found.Mounts)
	if at == "" || at == own {
		return nil
	}
	if _, err := os.Stat(initIn(at)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return usererr.New(usererr.Container, "the container was made by another installation of dockersh, whose programs in "+at+" are gone",
		"ask the administrator to run: mkdir -p "+filepath.Dir(at)+" && ln -sT "+own+" "+at, nil)
}
