//go:build e2e

package engines

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// The containers of one name on two engines share a directory, where their agents ask for a
// socket.
func TestLoginsEnterTheContainerOfTheEngineInTheSettings(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	inPodman := u.Lines()
	u.Configure(t, "imagename = dsh-debian", "shell = /bin/bash")
	e2e.SSH(t, u, "echo docker >/tmp/where").Want(t, "", "", 0)
	docker := u.Container(t)

	u.Configure(t, inPodman...)
	e2e.SSH(t, u, "echo podman >/tmp/where").Want(t, "", "", 0)
	if state := e2e.Inspect(t, docker, "{{.State.Status}}"); state != "exited" {
		t.Errorf("the container on the engine of before is %s", state)
	}

	// By hand both run, and the agents of both ask.
	e2e.OnHost(t, "docker", "start", docker)
	podman(t, "stop", "-t", "2", containersInPodman(t, u)[0])
	e2e.SSH(t, u, "cat /tmp/where").Want(t, "podman\n", "", 0)

	name := strings.TrimPrefix(e2e.Inspect(t, docker, "{{.Name}}"), "/")
	out, err, status := e2e.Ctl(t, "restart", name)
	if text := out + err; status == 0 || !strings.Contains(text, name+": restarted") || !strings.Contains(text, "not done: logins enter") {
		t.Errorf("restart: status %d\n%s", status, text)
	}
	e2e.SSH(t, u, "cat /tmp/where").Want(t, "podman\n", "", 0)
}
