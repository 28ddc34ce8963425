package manifest

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dockersh/dockersh/internal/engine"
)

// homeVolume is the volume of the home.
const homeVolume = "home"

// ClaimName returns the name of the claim of a home: as the settings have it where it can be one, and
// does not look like the others.
func ClaimName(name string) string {
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	hashed := regexp.MustCompile(`-[a-z2-7]{20}$`)
	if valid.MatchString(name) && !hashed.MatchString(name) {
		return name
	}
	return PodName(name)
}

// mountHome mounts the home. A node hands the volume of a claim to the pod's group, so that no program
// needs the right to; then all directories in it get that group, too (chmod(2), S_ISGID). Everybody in
// the pod can write to a directory of its own, as it is.
func mountHome(home engine.Home, gid int64, p *corev1.PodSpec) {
	if home.Path == "" {
		return
	}
	v := corev1.Volume{Name: homeVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	if home.Claim != "" {
		claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: ClaimName(home.Claim)}
		v.VolumeSource = corev1.VolumeSource{PersistentVolumeClaim: claim}
		change := corev1.FSGroupChangeOnRootMismatch
		p.SecurityContext.FSGroup, p.SecurityContext.FSGroupChangePolicy = &gid, &change
	}
	p.Volumes = append(p.Volumes, v)
	p.Containers[0].VolumeMounts = append(p.Containers[0].VolumeMounts, corev1.VolumeMount{Name: homeVolume, MountPath: home.Path})
}

// Claim returns the claim of a home that is to be made; engine.ErrOption.
func Claim(s engine.Spec) (*corev1.PersistentVolumeClaim, error) {
	size, err := resource.ParseQuantity(s.Home.Size)
	if err != nil || size.Sign() <= 0 {
		return nil, fmt.Errorf("%w: homesize %q", engine.ErrOption, s.Home.Size)
	}
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: ClaimName(s.Home.Claim), Labels: map[string]string{LabelMade: Made},
			Annotations: map[string]string{AnnotationName: s.Home.Claim, engine.LabelOwner: s.Labels[engine.LabelOwner]}},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		},
	}
	if s.Home.Class != "" {
		claim.Spec.StorageClassName = &s.Home.Class
	}
	return claim, nil
}
