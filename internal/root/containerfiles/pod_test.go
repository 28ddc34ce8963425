package containerfiles

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
)

func TestPodIsPutFilesAndHasDirectories(t *testing.T) {
	all := []engine.File{
		{Path: "/etc", Dir: true, Reset: true}, {Path: "/etc/passwd"}, {Path: "/home/alice", Dir: true},
		{Path: engine.OwnDir, Dir: true}, {Path: engine.OwnDir + "/dockersh-init"},
	}
	var s engine.Spec
	put := OfPod(all, passwd.Identity{Home: "/home/alice"}, &s)
	if len(put) != 2 || put[0].Path != "/etc/passwd" || put[1].Path != engine.OwnDir+"/dockersh-init" {
		t.Errorf("put %+v", put)
	}
	if len(s.Files) != len(all) || s.Home.Path != "/home/alice" {
		t.Errorf("%+v", s)
	}
}
