package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// Find returns the container of a name; engine.ErrNotFound.
func (e *Engine) Find(ctx context.Context, name string) (*engine.Container, error) {
	p, err := e.pod(ctx, manifest.PodName(name))
	if err != nil {
		return nil, err
	}
	if has, ok := p.Annotations[manifest.AnnotationName]; !ok || has != name {
		return nil, fmt.Errorf("%w: the pod %s is not the container %s", engine.ErrNotFound, p.Name, name)
	}
	return containerOf(p), nil
}

// List returns every container that dockersh made. Sizes are not known.
func (e *Engine) List(ctx context.Context, _ bool) ([]*engine.Container, error) {
	var pods corev1.PodList
	err := e.call(ctx, func(ctx context.Context) error {
		return e.core.Get().Namespace(e.namespace).Resource("pods").
			Param("labelSelector", manifest.LabelMade+"="+manifest.Made).Do(ctx).Into(&pods)
	})
	if err != nil {
		return nil, err
	}
	var all []*engine.Container
	for i := range pods.Items {
		p := &pods.Items[i]
		if _, ours := p.Annotations[engine.LabelOwner]; !ours || manifest.PodName(p.Annotations[manifest.AnnotationName]) != p.Name {
			continue
		}
		c := containerOf(p)
		c.Mounts, c.MayGain, c.Limits = nil, false, engine.Limits{}
		all = append(all, c)
	}
	return all, nil
}

// Running reports whether the container runs.
func (e *Engine) Running(ctx context.Context, id string) (bool, error) {
	p, err := e.podOfID(ctx, id)
	if isNotFound(err) {
		return false, nil
	}
	return err == nil && stateOf(p) == engine.Running, err
}

// pod returns a pod by its name.
func (e *Engine) pod(ctx context.Context, name string) (*corev1.Pod, error) {
	var p corev1.Pod
	err := e.call(ctx, func(ctx context.Context) error {
		return e.core.Get().Namespace(e.namespace).Resource("pods").Name(name).Do(ctx).Into(&p)
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// podOfID returns the pod of an id; engine.ErrNotFound, also where its name is another pod's now.
func (e *Engine) podOfID(ctx context.Context, id string) (*corev1.Pod, error) {
	uid, name, ok := splitID(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q is not an id", engine.ErrNotFound, id)
	}
	p, err := e.pod(ctx, name)
	if err == nil && string(p.UID) != uid {
		return nil, fmt.Errorf("%w: the pod %s is another one now", engine.ErrNotFound, name)
	}
	return p, err
}

// await waits until a pod is as done has it, and returns it; engine.ErrNotFound when it is gone.
// done may also be the end with an error.
func (e *Engine) await(ctx context.Context, id string, done func(*corev1.Pod) (bool, error)) (*corev1.Pod, error) {
	for {
		p, err := e.podOfID(ctx, id)
		if err != nil {
			return nil, err
		}
		if is, err := done(p); is || err != nil {
			return p, err
		}
		changes, err := e.core.Get().Namespace(e.namespace).Resource("pods").
			Param("fieldSelector", "metadata.name="+p.Name).Param("resourceVersion", p.ResourceVersion).
			Param("watch", "true").Watch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, explain(err)
		}
		e.calls.Add(1)
		for change := range changes.ResultChan() {
			p, ok := change.Object.(*corev1.Pod)
			if !ok || change.Type == "DELETED" || string(p.UID)+"_"+p.Name != id {
				break // look again
			}
			if is, err := done(p); is || err != nil {
				changes.Stop()
				return p, err
			}
		}
		changes.Stop()
		wait.Sleep(ctx, 50*time.Millisecond) // something on the way may end every watch at once
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// delete deletes a pod, by its id alone, and waits until it is gone.
func (e *Engine) delete(ctx context.Context, id string, grace int64) error {
	uid, name, ok := splitID(id)
	if !ok {
		return fmt.Errorf("%w: %q is not an id", engine.ErrNotFound, id)
	}
	err := e.deleteIf(ctx, id, grace, &metav1.Preconditions{UID: (*types.UID)(&uid)})
	if errors.Is(err, errChanged) {
		return fmt.Errorf("%w: the pod %s is another one now", engine.ErrNotFound, name)
	}
	return err
}

// errChanged: a pod is not as the preconditions have it.
var errChanged = errors.New("the pod has changed")

// deleteIf deletes a pod if preconditions hold, and waits until it is gone; errChanged.
func (e *Engine) deleteIf(ctx context.Context, id string, grace int64, only *metav1.Preconditions) error {
	_, name, _ := splitID(id)
	options := &metav1.DeleteOptions{GracePeriodSeconds: &grace, Preconditions: only}
	err := e.call(ctx, func(ctx context.Context) error {
		err := e.core.Delete().Namespace(e.namespace).Resource("pods").Name(name).Body(options).Do(ctx).Error()
		if isConflict(err) {
			return fmt.Errorf("%w: %s", errChanged, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = e.await(ctx, id, func(*corev1.Pod) (bool, error) { return false, nil })
	if isNotFound(err) {
		return nil
	}
	return err
}
