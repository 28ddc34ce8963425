package containerfiles

import (
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
)

// OfPod returns those files of a new container that can be put into a pod. A pod has others from its
// start, and its home is a volume. Directories of the image stay as they are: nobody but the pod's
// user is ever in it, and no program there has other rights.
func OfPod(files []engine.File, user passwd.Identity, s *engine.Spec) []engine.File {
	s.Files = files
	return slices.DeleteFunc(slices.Clone(files), func(f engine.File) bool {
		if !f.Dir {
			return false
		}
		if f.Path == user.Home {
			s.Home.Path = f.Path
		}
		return true
	})
}
