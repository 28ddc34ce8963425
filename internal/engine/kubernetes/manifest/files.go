package manifest

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/dockersh/dockersh/internal/engine"
)

// mountedFiles are the files of an image that a pod may have of its own, from the start. Others of
// the image's cannot be changed from outside: the pod may run without any right to.
var mountedFiles = []string{"/etc/passwd", "/etc/group", engine.LoginPath}

// mountFiles has those of files that a pod may have mounted over the image's: annotations of the pod,
// which nobody inside can write.
func mountFiles(files []engine.File, annotations map[string]string, c *corev1.Container) *corev1.Volume {
	var items []corev1.DownwardAPIVolumeFile
	for _, f := range files {
		if !slices.Contains(mountedFiles, f.Path) {
			continue
		}
		name := path.Base(f.Path)
		annotations[AnnotationFile+name] = string(f.Data)
		items = append(items, corev1.DownwardAPIVolumeFile{Path: name,
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + AnnotationFile + name + "']"}})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: fileVolume, MountPath: f.Path, SubPath: name, ReadOnly: true})
	}
	if items == nil {
		return nil
	}
	return &corev1.Volume{Name: fileVolume, VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: items}}}
}

// HasFile reports whether a pod has a file from the start.
func HasFile(p *corev1.Pod, f engine.File) bool {
	has, ok := p.Annotations[AnnotationFile+path.Base(f.Path)]
	return ok && slices.Contains(mountedFiles, f.Path) && has == string(f.Data)
}
