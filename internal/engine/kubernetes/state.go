package kubernetes

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// containerOf describes a pod. Labels of package engine are annotations of the pod.
func containerOf(p *corev1.Pod) *engine.Container {
	c := &engine.Container{
		ID: idOf(string(p.UID), p.Name), Name: p.Annotations[manifest.AnnotationName], State: stateOf(p), Size: -1,
		Created: p.CreationTimestamp.Time, Labels: maps.Clone(p.Annotations),
	}
	maps.DeleteFunc(c.Labels, func(name, _ string) bool {
		return name == manifest.AnnotationName || name == manifest.AnnotationStarted || strings.HasPrefix(name, manifest.AnnotationFile)
	})
	if main := mainOf(p); main != nil {
		c.Image, c.ImageID = main.Image, main.Image
		c.Limits = manifest.LimitsOf(main)
		gain := main.SecurityContext
		c.MayGain = gain == nil || gain.AllowPrivilegeEscalation == nil || *gain.AllowPrivilegeEscalation
		for _, m := range main.VolumeMounts {
			c.Mounts = append(c.Mounts, engine.Mount{Target: m.MountPath, ReadOnly: m.ReadOnly, Volume: m.Name})
		}
	}
	if ended := endOf(p); ended != nil {
		c.ExitCode, c.OOMKilled = int(ended.ExitCode), ended.Reason == "OOMKilled"
	}
	return c
}

// mainOf returns the container that users are in.
func mainOf(p *corev1.Pod) *corev1.Container {
	for i := range p.Spec.Containers {
		if p.Spec.Containers[i].Name == manifest.Main {
			return &p.Spec.Containers[i]
		}
	}
	return nil
}

// stateOf returns the state of a pod. The API server learns up to a second late that a container
// runs; one that was started was seen to.
func stateOf(p *corev1.Pod) engine.State {
	_, started := p.Annotations[manifest.AnnotationStarted]
	switch {
	case p.DeletionTimestamp != nil:
		return engine.Removing
	case p.Status.Phase == corev1.PodSucceeded, p.Status.Phase == corev1.PodFailed, endOf(p) != nil:
		return engine.Exited
	case started:
		return engine.Running
	}
	return engine.Created
}

// statusOf returns the status of the main container.
func statusOf(p *corev1.Pod) (s corev1.ContainerStatus) {
	all := p.Status.ContainerStatuses
	if i := slices.IndexFunc(all, func(s corev1.ContainerStatus) bool { return s.Name == manifest.Main }); i >= 0 {
		s = all[i]
	}
	return s
}

func endOf(p *corev1.Pod) *corev1.ContainerStateTerminated { return statusOf(p).State.Terminated }
