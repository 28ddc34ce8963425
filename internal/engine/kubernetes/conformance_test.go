//go:build kubernetes

package kubernetes

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/conformance"
)

func TestClusterKeepsTheContract(t *testing.T) {
	const (
		oneLife  = "a pod has one life: what ended is replaced"
		noImages = "images are on the nodes, and no API has them"
		noPaths  = "a pod takes files in a few places alone, see TestFilesArePutBeforeTheStart"
	)
	for name, e := range map[string]engine.Engine{"here": onCluster(t), "in another process": inAnotherProcess(t)} {
		t.Run(name, func(t *testing.T) {
			conformance.Test(t, &conformance.Subject{
				Engine: e, Image: "image", Name: "missing", // no registry has missing-none
				Adapt: func(s *engine.Spec) { s.Network = "" },
				Lacks: map[string]string{
					"missing image has no id":                                        noImages,
					"container that runs has a process on its host":                  "its host is another one",
					"container that was stopped is there, and starts again":          oneLife,
					"paused container is resumed by Start and ended by Stop":         "no API pauses",
					"list has sizes on demand":                                       "no API has them",
					"files are touched only before the first start":                  noPaths,
					"nothing is put into a mount":                                    noPaths,
					"nothing is put into a mount to which a link of the image leads": noPaths,
					"nothing is put where a mount in a mount may be led":             noPaths,
					"commit makes an image":                                          noImages,
					"what is in a container is carried over to another one":          noImages,
					"program outlives its connection":                                "the exit code is known to the connection alone",
				},
			})
		})
	}
}
