package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestTemplateIsUnderTheSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pod.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: kube-system, labels: {team: x, dockersh.uid: "0"}, annotations: {dockersh.uid: "0", note: z}}
spec:
  nodeSelector: {disk: ssd}
  tolerations: [{key: lab, operator: Exists}]
  serviceAccountName: pods
  automountServiceAccountToken: true
  securityContext: {runAsUser: 0, sysctls: [{name: a, value: b}]}
  containers:
  - {name: main, image: other, env: [{name: A, value: t}, {name: B, value: t}], volumeMounts: [{name: data, mountPath: /data}]}
  - {name: side, image: car}
  volumes: [{name: data, emptyDir: {}}]
`)
	p, err := Pod(engine.Spec{Name: "alice_dockersh", Image: "busybox", UID: 1001, GID: 1002, Entrypoint: "/x", Env: []string{"A=s"},
		Labels: map[string]string{engine.LabelOwner: "1001"}, Template: file})
	if err != nil {
		t.Fatal(err)
	}
	main, s := p.Spec.Containers[0], p.Spec
	switch {
	case p.Name != PodName("alice_dockersh"), p.Namespace != "", p.Labels["team"] != "x", p.Annotations["note"] != "z":
		t.Errorf("%+v", p.ObjectMeta)
	case p.Labels[engine.LabelOwner] != "1001", p.Annotations[engine.LabelOwner] != "1001":
		t.Errorf("the owner is the template's: %+v", p.ObjectMeta)
	case s.NodeSelector["disk"] != "ssd", len(s.Tolerations) != 1, s.ServiceAccountName != "pods", *s.AutomountServiceAccountToken:
		t.Errorf("%+v", s)
	case *s.SecurityContext.RunAsUser != 1001, len(s.SecurityContext.Sysctls) != 1:
		t.Errorf("%+v", s.SecurityContext)
	case len(s.Containers) != 2, main.Name != Main, main.Image != "busybox", len(main.VolumeMounts) != 2, len(s.Volumes) != 2:
		t.Errorf("%+v %+v", s.Containers, s.Volumes)
	case len(main.Env) != 2, main.Env[0].Value != "s":
		t.Errorf("%+v", main.Env)
	}
	for _, wrong := range []string{"spec: {nosuch: 1}", "[", "spec: {containers: {}}"} {
		write(wrong)
		if _, err := Pod(engine.Spec{Name: "a", Image: "b", Entrypoint: "/x", Template: file}); !errors.Is(err, engine.ErrOption) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := Pod(engine.Spec{Name: "a", Image: "b", Entrypoint: "/x", Template: file + "x"}); !errors.Is(err, engine.ErrOption) {
		t.Errorf("a missing file: %v", err)
	}
}

// A template can have a pod that is root on its node.
func TestTemplateIsOnlyThatOfRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of others")
	}
	dir := t.TempDir()
	spec := engine.Spec{Name: "x", Image: "busybox", Entrypoint: "/x", Template: filepath.Join(dir, "pod.yaml")}
	for _, c := range []struct {
		mode os.FileMode
		uid  int
		ok   bool
	}{{0o644, 0, true}, {0o600, 0, true}, {0o664, 0, false}, {0o646, 0, false}, {0o600, 1, false}} {
		for _, err := range []error{os.WriteFile(spec.Template, []byte("kind: Pod"), 0o600), os.Chmod(spec.Template, c.mode), os.Chown(spec.Template, c.uid, 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Pod(spec); (err == nil) != c.ok || err != nil && !errors.Is(err, engine.ErrOption) {
			t.Errorf("%o of %d: %v", c.mode, c.uid, err)
		}
		_ = os.Remove(spec.Template)
	}
	if err := unix.Mkfifo(spec.Template, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Pod(spec); !errors.Is(err, engine.ErrOption) {
		t.Errorf("a FIFO: %v", err)
	}
}
