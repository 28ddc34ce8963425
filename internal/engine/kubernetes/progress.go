package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// mostPause is how long a pod that is being made is not looked at.
const mostPause = 150 * time.Millisecond

// awaitDoor waits until files can be put into a pod. It asks the pod itself: its status is up to a
// second late.
func (e *Engine) awaitDoor(ctx context.Context, id string, progress func(line string)) (*corev1.Pod, error) {
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, mostPause) {
		p, err := e.podOfID(ctx, id)
		if err != nil {
			return nil, err
		}
		if stateOf(p) != engine.Created {
			return nil, fmt.Errorf("the pod ended before it was started: %s %s %+v", p.Status.Reason, p.Status.Message, endOf(p))
		}
		if err := whyNotStarted(p); err != nil {
			return nil, err
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable && progress != nil {
				progress(waitsFor(c.Message))
			}
		}
		if p.Spec.NodeName != "" {
			if err := e.runScript(ctx, p.Name, nil, nil, atDoor+":"); err == nil || errors.Is(err, engine.ErrDenied) {
				return p, err
			}
		}
		wait.Sleep(ctx, pause)
	}
}

// waitsFor returns what a pod without a node waits for, by the scheduler's words.
func waitsFor(message string) string {
	if strings.Contains(message, "PersistentVolumeClaim") {
		return "waiting for the volume of the home"
	}
	return "waiting for a node that has room"
}

// whyNotStarted returns why a pod waits, if it will wait for ever.
func whyNotStarted(p *corev1.Pod) error {
	s := statusOf(p)
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
