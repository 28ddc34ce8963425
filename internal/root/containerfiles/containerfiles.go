// Package containerfiles writes what dockersh adds to the files of containers: passwd, group and
// the home of the container user, the login groups, sudoers, and the PATH of login shells. The
// engine copies files into a container that has never run; into one that runs root writes them.
// Package launch decides when.
package containerfiles

import (
	"os"
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/remotecmd"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// OfNew returns the files that a new container lacks, by the accounts of its image. Helpers is
// the directory of our programs on this host.
func OfNew(plan *policy.Plan, user passwd.Identity, image images.Accounts, helpers string) ([]engine.File, error) {
	files, err := accountFiles(image, user, !plan.Settings.MountHome, plan.ForeignImage())
	if err != nil {
		return nil, err
	}
	files = append(files, LoginPath(string(image.Path), plan.Settings.Env)...)
	files = append(files, sudoers(plan, user)...)
	if plan.Engine().Local() {
		return files, nil
	}
	init := filepath.Base(policy.InitInside)
	if plan.Engine().IsCluster() {
		init = podInit
	}
	return withHelpers(files, helpers, init)
}

// podInit is the program that is dockersh-init in a pod.
const podInit = "dockersh-podinit"

// withHelpers adds our programs to the files of a container on another host, where they
// cannot be mounted.
func withHelpers(files []engine.File, helpers, init string) ([]engine.File, error) {
	files = append(files, engine.File{Path: policy.HelpersInside, Mode: 0o755, Dir: true})
	for _, f := range [][2]string{{policy.InitInside, init}, {remotecmd.Files, filepath.Base(remotecmd.Files)}} {
		program, err := os.ReadFile(filepath.Join(helpers, f[1]))
		if err != nil {
			return nil, err
		}
		files = append(files, engine.File{Path: f[0], Mode: 0o755, Data: program})
	}
	return files, nil
}
