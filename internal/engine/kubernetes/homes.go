package kubernetes

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// ErrNotTheirs: the claim was made for another user.
var ErrNotTheirs = errors.New("the volume claim of the home belongs to another user")

// provideHome makes the claim of a home, or finds it. A claim without an owner was made by hand.
func (e *Engine) provideHome(ctx context.Context, s engine.Spec) error {
	if s.Home.Path == "" || s.Home.Claim == "" {
		return nil
	}
	claim, err := manifest.Claim(s)
	if err != nil {
		return err
	}
	var found corev1.PersistentVolumeClaim
	find := func(ctx context.Context) error {
		return e.core.Get().Namespace(e.namespace).Resource("persistentvolumeclaims").Name(claim.Name).Do(ctx).Into(&found)
	}
	err = e.call(ctx, find)
	if errors.Is(err, engine.ErrNotFound) {
		err = e.call(ctx, func(ctx context.Context) error {
			return e.core.Post().Namespace(e.namespace).Resource("persistentvolumeclaims").Body(claim).Do(ctx).Into(&found)
		})
		if errors.Is(err, engine.ErrNameTaken) { // by another login, just now
			err = e.call(ctx, find)
		}
	}
	if err != nil {
		return err
	}
	if found.DeletionTimestamp != nil {
		return fmt.Errorf("the volume claim %s is being deleted", claim.Name)
	}
	owner, owned := found.Annotations[engine.LabelOwner]
	name, named := found.Annotations[manifest.AnnotationName]
	if owned && owner != s.Labels[engine.LabelOwner] || named && name != s.Home.Claim {
		return fmt.Errorf("%w: %s", ErrNotTheirs, claim.Name)
	}
	return nil
}
