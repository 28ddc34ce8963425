package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// Sessions are known to other login hosts by Leases: one for each session, which its host renews. A
// session is announced before its pod is entered, which changes the pod; and a host that removes a
// pod reads that first, then the Leases. So of a login and a removal at once, either the removal sees the
// Lease, or its precondition fails, or the login finds no pod.

// labelPod is on Leases: the name of the pod that the session is in.
const labelPod = "dockersh.pod"

// lease is a Lease of the API.
type lease struct {
	APIVersion string            `json:"apiVersion,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Metadata   metav1.ObjectMeta `json:"metadata"`
	Spec       struct {
		HolderIdentity       string `json:"holderIdentity"`
		LeaseDurationSeconds int    `json:"leaseDurationSeconds"`
		RenewTime            string `json:"renewTime"` // changes; nobody else's clock is compared with it
	} `json:"spec"`
}

func leaseName(p engine.Presence) string { return manifest.PodName(p.Container) + "." + p.Session }

func (e *Engine) leases(name ...string) string {
	path := "/apis/coordination.k8s.io/v1/namespaces/" + e.namespace + "/leases"
	for _, n := range name {
		path += "/" + n
	}
	return path
}

// Announce makes the Lease of a session, or renews it.
func (e *Engine) Announce(ctx context.Context, p engine.Presence) error {
	l := lease{APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Metadata: metav1.ObjectMeta{Name: leaseName(p),
		Labels:      map[string]string{manifest.LabelMade: manifest.Made, labelPod: manifest.PodName(p.Container)},
		Annotations: map[string]string{manifest.AnnotationName: p.Container}}}
	l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds = p.Host, int(engine.PresenceLimit/time.Second)
	l.Spec.RenewTime = time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return e.call(ctx, func(ctx context.Context) error {
		return e.core.Patch(types.ApplyPatchType).AbsPath(e.leases(l.Metadata.Name)).
			Param("fieldManager", "dockersh").Param("force", "true").Body(body).Do(ctx).Error()
	})
}

// Withdraw deletes the Lease of a session.
func (e *Engine) Withdraw(ctx context.Context, p engine.Presence) error {
	return e.deleteLease(ctx, leaseName(p), nil)
}

func (e *Engine) deleteLease(ctx context.Context, name string, only *metav1.Preconditions) error {
	err := e.call(ctx, func(ctx context.Context) error {
		return e.core.Delete().AbsPath(e.leases(name)).Body(&metav1.DeleteOptions{Preconditions: only}).Do(ctx).Error()
	})
	if isNotFound(err) {
		return nil
	}
	return err
}

// Enter changes the pod that a session was announced for, and returns it.
func (e *Engine) Enter(ctx context.Context, id string, p engine.Presence) (*engine.Container, error) {
	pod, err := e.annotate(ctx, id, engine.LabelLogin, p.Session)
	if err != nil {
		return nil, err
	}
	return containerOf(pod), nil
}

// annotate sets an annotation of a pod, and returns it; engine.ErrNotFound where it is another one.
func (e *Engine) annotate(ctx context.Context, id, name, value string) (*corev1.Pod, error) {
	uid, podName, ok := splitID(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q is not an id", engine.ErrNotFound, id)
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid, "annotations": map[string]string{name: value}}})
	if err != nil {
		return nil, err
	}
	var pod corev1.Pod
	err = e.call(ctx, func(ctx context.Context) error {
		err := e.core.Patch(types.MergePatchType).Namespace(e.namespace).Resource("pods").Name(podName).Body(body).Do(ctx).Into(&pod)
		if isConflict(err) {
			return fmt.Errorf("%w: the pod %s is another one now", engine.ErrNotFound, podName)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &pod, nil
}

// Presences returns the sessions that count, and deletes the Leases of those that do not.
func (e *Engine) Presences(ctx context.Context) ([]engine.Presence, error) {
	return e.presences(ctx, manifest.LabelMade+"="+manifest.Made)
}

func (e *Engine) presences(ctx context.Context, selector string) (all []engine.Presence, err error) {
	var list struct{ Items []lease }
	began := time.Now()
	err = e.call(ctx, func(ctx context.Context) error {
		result := e.core.Get().AbsPath(e.leases()).Param("labelSelector", selector).Do(ctx)
		if err := result.Error(); err != nil {
			return err
		}
		text, err := result.Raw()
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &list)
	})
	if err != nil {
		return nil, err
	}
	e.watched.forget(began)
	for i := range list.Items {
		m := &list.Items[i].Metadata
		name := m.Annotations[manifest.AnnotationName]
		if m.Labels[labelPod] != manifest.PodName(name) {
			continue // not ours
		}
		if e.watched.isDead(string(m.UID), m.ResourceVersion, began) {
			// Its host may be back just now. Until the Lease is gone, the session counts.
			err := e.deleteLease(ctx, m.Name, &metav1.Preconditions{UID: &m.UID, ResourceVersion: &m.ResourceVersion})
			if err == nil {
				continue
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		session := strings.TrimPrefix(m.Name, m.Labels[labelPod]+".")
		all = append(all, engine.Presence{Container: name, Host: list.Items[i].Spec.HolderIdentity, Session: session})
	}
	return all, nil
}

// RemoveVacant deletes a pod as it was before the Leases were read.
func (e *Engine) RemoveVacant(ctx context.Context, id, host string) error {
	for range 3 { // a change of the pod's status is one, too
		p, err := e.podOfID(ctx, id)
		if err != nil {
			return err
		}
		if stateOf(p) != engine.Exited && p.DeletionTimestamp == nil { // there nobody is any more
			all, err := e.presences(ctx, labelPod+"="+p.Name)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(all, func(p engine.Presence) bool { return p.Host != host }); i >= 0 {
				return fmt.Errorf("%w: %s, of %s", engine.ErrInUse, all[i].Session, all[i].Host)
			}
		}
		only := metav1.NewUIDPreconditions(string(p.UID))
		if p.DeletionTimestamp == nil {
			only.ResourceVersion = &p.ResourceVersion
		}
		if err = e.deleteIf(ctx, id, 1, only); !errors.Is(err, errChanged) {
			return err
		}
	}
	return fmt.Errorf("%w: the pod changes all the time", engine.ErrInUse)
}

// gapLimit is how long nothing may be seen of a Lease that is watched. Afterwards nobody knows whether
// its host could not renew it, or we could not see that.
const gapLimit = 15 * time.Second

// watched is what was seen of Leases, by this process's own clock: that of another host may be wrong.
type watched struct {
	mu   sync.Mutex
	seen map[string]sighting // by UID
}

type sighting struct {
	version     string
	since, last time.Time // it has not changed, as far as was seen
}

// forget forgets the Leases that were not seen for so long that they are seen for the first time again.
func (w *watched) forget(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.seen, func(_ string, s sighting) bool { return at.Sub(s.last) > gapLimit })
}

// isDead reports whether a Lease did not change for engine.PresenceLimit. At is when it was asked for.
func (w *watched) isDead(uid, version string, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]sighting{}
	}
	s, ok := w.seen[uid]
	if !ok || s.version != version || at.Sub(s.last) > gapLimit {
		s = sighting{version: version, since: at}
	}
	s.last = at
	w.seen[uid] = s
	return at.Sub(s.since) >= engine.PresenceLimit
}
