package mounts

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func TestContainerOfAnInstallationThatIsGoneIsNotStarted(t *testing.T) {
	own, other := t.TempDir(), t.TempDir()
	found := &engine.Container{Mounts: []engine.Mount{{Source: other, Target: policy.HelpersInside}}}
	for _, at := range []*engine.Container{{}, {Mounts: []engine.Mount{{Source: own, Target: policy.HelpersInside}}}} {
		if err := CheckHelpers(at, own); err != nil {
			t.Errorf("%v: %v", at.Mounts, err)
		}
	}
	if err := CheckHelpers(found, own); err == nil || !strings.Contains(err.Error(), "another installation") {
		t.Errorf("without its program: %v", err)
	}
	if err := os.WriteFile(other+"/dockersh-init", nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := CheckHelpers(found, own); err != nil {
		t.Errorf("with its program: %v", err)
	}
	// Others than root can change what is in /tmp.
	if got := OwnInit(found, own); got.Ours != own+"/dockersh-init" {
		t.Errorf("%+v", got)
	}
}
