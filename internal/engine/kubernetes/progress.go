package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
)

// isAtDoor reports whether files can be put into a pod. Progress, unless nil, receives what it
// waits for.
func isAtDoor(p *corev1.Pod, progress func(line string)) (bool, error) {
	door := statusOf(p.Status.InitContainerStatuses, doorContainer)
	if p.Status.Phase == corev1.PodFailed || door.State.Terminated != nil || p.DeletionTimestamp != nil {
		return false, fmt.Errorf("the pod ended before it was started: %s %s", p.Status.Reason, p.Status.Message)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable && progress != nil {
			progress("waiting for a node that has room")
		}
	}
	return door.State.Running != nil, whyNotStarted(door)
}

// whyNotStarted returns why a container waits, if it will wait for ever.
func whyNotStarted(s corev1.ContainerStatus) error {
	if s.State.Waiting == nil {
		return nil
	}
	cause := errors.New(s.State.Waiting.Reason + ": " + s.State.Waiting.Message)
	switch s.State.Waiting.Reason {
	case "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ErrImagePull", "ImageInspectError":
		return fmt.Errorf("%w: %w", engine.ErrNoImage, cause)
	case "CreateContainerConfigError":
		return fmt.Errorf("%w: %w", engine.ErrOption, cause)
	case "CreateContainerError", "RunContainerError", "StartError":
		return cause
	}
	return nil
}

// showPull shows that a node pulls the image, which only an event of the pod has. It returns what
// ends it.
func (e *Engine) showPull(ctx context.Context, p *corev1.Pod, progress func(line string)) (end func()) {
	if progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for again := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				again.Stop()
				return
			case <-again.C:
			}
			var events corev1.EventList
			err := e.call(ctx, func(ctx context.Context) error {
				return e.core.Get().Namespace(e.namespace).Resource("events").
					Param("fieldSelector", "involvedObject.uid="+string(p.UID)+",reason=Pulling").Param("limit", "1").Do(ctx).Into(&events)
			})
			if err == nil && len(events.Items) > 0 {
				progress("a node pulls the image " + p.Spec.Containers[0].Image)
				return
			}
		}
	}()
	return func() { cancel(); <-over }
}
