package kubernetes

import (
	"context"
	"fmt"
	"time"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// removeLimit is how long the removal of a pod that failed to begin may take.
const removeLimit = 30 * time.Second

// Command returns what kubectl would be given, for people to read.
func (e *Engine) Command(s engine.Spec) []string {
	return []string{e.Program(), "--namespace", e.namespace, "run", manifest.PodName(s.Name), "--image", s.Image,
		"--annotations", manifest.AnnotationName + "=" + s.Name}
}

// Create makes a pod, and waits until files can be put into it: a node was found, and has the
// image.
func (e *Engine) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	if _, err := reference.ParseNormalizedNamed(s.Image); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", engine.ErrNoImage, s.Image, err)
	}
	pod, err := manifest.Pod(s)
	if err != nil {
		return nil, err
	}
	if err := e.provideHome(ctx, s); err != nil {
		return nil, err
	}
	var p corev1.Pod
	err = e.call(ctx, func(ctx context.Context) error {
		return e.core.Post().Namespace(e.namespace).Resource("pods").Body(pod).Do(ctx).Into(&p)
	})
	if err != nil {
		return nil, err
	}
	id := idOf(string(p.UID), p.Name)
	shown := e.showPull(ctx, &p, s.Progress)
	defer shown()
	ready, err := e.awaitDoor(ctx, id, s.Progress)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		_ = e.Remove(ctx, id)
		return nil, err
	}
	return containerOf(ready), nil
}

// Start ends the door. A pod has one life: one that has ended is removed, and is not found.
func (e *Engine) Start(ctx context.Context, id string) error {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return err
	}
	switch stateOf(p) {
	case engine.Running:
		return nil
	case engine.Created:
	default:
		if err := e.Remove(ctx, id); err != nil {
			return err
		}
		return fmt.Errorf("%w: the pod %s had ended", engine.ErrNotFound, p.Name)
	}
	if err := e.runScript(ctx, p.Name, nil, nil, openDoor); err != nil {
		return err
	}
	// From here on somebody may be inside. Earlier, that would be another login host's session, which
	// ends with the door where this process is killed before it opens that.
	_, err = e.annotate(ctx, id, manifest.AnnotationStarted, "true")
	return err
}

// openDoor ends the door, and returns when it has ended.
const openDoor = `: >` + manifest.StartFile + ` && kill -USR1 1 || exit 1
n=0
while [ -e ` + manifest.ReadyFile + ` ] && [ $n -lt 500 ]; do sleep 0.01 2>/dev/null || sleep 1; n=$((n+1)); done`

// Stop removes a pod, after it was asked to end: there is no pod that does not run and can be
// started again, and what is not in a volume is gone either way.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	return e.delete(ctx, id, max(int64(grace/time.Second), 1))
}

// Remove removes a pod at once. The API server would forget it sooner without any grace, and its
// processes might go on.
func (e *Engine) Remove(ctx context.Context, id string) error { return e.delete(ctx, id, 1) }

// SetLimits changes nothing: a cluster may do it by moving the pod, or not at all.
func (e *Engine) SetLimits(ctx context.Context, id string, _ engine.Limits) error {
	if _, err := e.podOfID(ctx, id); err != nil {
		return err
	}
	return engine.ErrNoSetLimits
}

// CheckMounts has nothing to look at: nothing of the user's is mounted when files are put.
func (e *Engine) CheckMounts(context.Context, string, string) error { return nil }

// OutOfMemory reports whether the kernel killed the container for memory.
func (e *Engine) OutOfMemory(ctx context.Context, id string, since time.Time) (bool, error) {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return false, err
	}
	end := endOf(p)
	return end != nil && end.Reason == "OOMKilled" && end.FinishedAt.After(since), nil
}
