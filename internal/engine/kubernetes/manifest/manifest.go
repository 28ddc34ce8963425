// Package manifest has what is made in a cluster for a container: a pod, the claim of a home, and their
// names. Descriptions go in, and objects of the API come out.
package manifest

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dockersh/dockersh/internal/engine"
)

const (
	// AnnotationName has the container's name.
	AnnotationName = "dockersh.name"
	// LabelMade is on all pods that dockersh made: the API selects by labels alone.
	LabelMade, Made = "app.kubernetes.io/managed-by", "dockersh"

	// AnnotationStarted is on pods that were started. Before, nobody is inside.
	AnnotationStarted = "dockersh.started"
	// AnnotationFile begins the names of annotations that have the files of Spec.Files.
	AnnotationFile = "dockersh.file."

	// Main is what users are in.
	Main = "main"
	// ownVolume is where our programs are put, and fileVolume has the files of annotations.
	ownVolume, fileVolume = "dockersh", "dockersh-files"
)

// ReadyFile is there while the door waits, and StartFile lets it go on.
const (
	ReadyFile = engine.OwnDir + "/ready"
	StartFile = engine.OwnDir + "/start"
)

// door is what process 1 is before the pod is started. Files are read and written meanwhile. Then it
// becomes the program of the container. An init container would do the same, and a kubelet takes two
// seconds to get from one container to the next. The door gives up after some minutes: the host that
// made the pod may be gone.
const door = `trap : USR1; trap "exit 1" TERM
chmod 755 ` + engine.OwnDir + ` 2>/dev/null
: >` + ReadyFile + ` || exit 1
n=0
while [ ! -e ` + StartFile + ` ] && [ $n -lt 6000 ]; do { ` + Moment + `; } & wait $!; n=$((n+1)); done
[ -e ` + StartFile + ` ] || exit 1
trap - USR1 TERM
rm -f ` + ReadyFile + `
exec "$@"`

// Moment is a tenth of a second where the image's sleep has fractions.
const Moment = "sleep 0.1 2>/dev/null || sleep 1"

// Pod returns the pod of a new container; engine.ErrOption for what a pod cannot have.
func Pod(s engine.Spec) (*corev1.Pod, error) {
	if s.OnlyRead {
		s = toRead(s)
	}
	if err := checkSpec(s); err != nil {
		return nil, err
	}
	resources, err := resourcesOf(s)
	if err != nil {
		return nil, err
	}
	annotations := maps.Clone(s.Labels)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[AnnotationName] = s.Name
	labels := map[string]string{}
	if owner, ours := s.Labels[engine.LabelOwner]; ours {
		labels[LabelMade] = Made
		if owner != "" {
			labels[engine.LabelOwner] = owner
		}
	}
	main := corev1.Container{
		Name: Main, Image: s.Image, Env: envOf(s.Env), Resources: resources, SecurityContext: securityOf(s),
		ImagePullPolicy: pullOf(s.Pull),
		VolumeMounts:    []corev1.VolumeMount{{Name: ownVolume, MountPath: engine.OwnDir}},
		Command:         []string{"/bin/sh", "-c", door, "sh", literal(s.Entrypoint)}, Args: literals(s.Cmd),
	}
	volumes := []corev1.Volume{{Name: ownVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	if fixed := mountFiles(s.Files, annotations, &main); fixed != nil {
		volumes = append(volumes, *fixed)
	}
	no, uid, gid := false, int64(s.UID), int64(s.GID)
	groups := make([]int64, len(s.Groups))
	for i, g := range s.Groups {
		groups[i] = int64(g)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: PodName(s.Name), Annotations: annotations, Labels: labels},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{main}, Volumes: volumes,
			RestartPolicy: corev1.RestartPolicyNever, Hostname: hostnameOf(s.Hostname),
			AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsUser: &uid, RunAsGroup: &gid, SupplementalGroups: groups,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		},
	}
	mountHome(s.Home, gid, &pod.Spec)
	return overTemplate(pod, s.Template)
}

// toRead returns the description of a pod whose files are read: its image may be a user's, and has no
// rights.
func toRead(s engine.Spec) engine.Spec {
	const nobody = 65534
	s.UID, s.GID, s.Groups, s.Network, s.NoNewPrivileges = nobody, nobody, nil, "", true
	s.CapDrop, s.CapAdd = []string{"ALL"}, nil
	return s
}

func pullOf(words string) corev1.PullPolicy {
	switch words {
	case "always":
		return corev1.PullAlways
	case "never":
		return corev1.PullNever
	}
	return corev1.PullIfNotPresent
}

// hostnameOf returns a host name in the characters that a pod's may have.
func hostnameOf(name string) string {
	name = labelCharacters(name)
	return strings.Trim(name[:min(len(name), 63)], "-")
}

// checkSpec refuses what has no meaning in a pod, and would be lost in silence.
func checkSpec(s engine.Spec) error {
	for _, c := range []struct {
		is   bool
		what string
	}{
		{len(s.Mounts) > 0, "a directory of the login host cannot be mounted in a pod: set homeclaim"},
		{len(s.Volumes) > 0, "volume has no meaning for a pod: set podtemplate"},
		{len(s.Options) > 0, "dockeropt has no meaning for a pod: set podtemplate"},
		{s.Network != "", "network has no meaning for a pod: set podtemplate, and a NetworkPolicy"},
		{s.ShmSize != "", "shmsize has no meaning for a pod: set podtemplate"},
		{s.Entrypoint == "", "the program of the container must be named: no API has that of the image"},
		{s.Layer != "", "a pod has no layer of another one"},
	} {
		if c.is {
			return fmt.Errorf("%w: %s", engine.ErrOption, c.what)
		}
	}
	if s.ImageID != "" && s.ImageID != s.Image {
		return fmt.Errorf("%w: a pod's image is known by its name alone, and has no id %s", engine.ErrNoImage, s.ImageID)
	}
	return nil
}

func securityOf(s engine.Spec) *corev1.SecurityContext {
	gain, nonroot := !s.NoNewPrivileges, s.UID != 0
	c := &corev1.SecurityContext{AllowPrivilegeEscalation: &gain, RunAsNonRoot: &nonroot, Capabilities: &corev1.Capabilities{}}
	for _, name := range s.CapDrop {
		c.Capabilities.Drop = append(c.Capabilities.Drop, corev1.Capability(name))
	}
	for _, name := range s.CapAdd {
		c.Capabilities.Add = append(c.Capabilities.Add, corev1.Capability(name))
	}
	return c
}

func envOf(words []string) (all []corev1.EnvVar) {
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			all = append(all, corev1.EnvVar{Name: name, Value: literal(value)})
		}
	}
	return all
}

// literal returns a word of a command line or a value so that it stays as it is: $(NAME) would be
// another variable, and $$ a dollar.
func literal(word string) string { return strings.ReplaceAll(word, "$", "$$") }

func literals(words []string) (all []string) {
	for _, w := range words {
		all = append(all, literal(w))
	}
	return all
}

// cpuShare is the part of its limit of processors that is kept free for a pod: most users wait.
const cpuShare = 10

func resourcesOf(s engine.Spec) (r corev1.ResourceRequirements, err error) {
	limits, requests := corev1.ResourceList{}, corev1.ResourceList{}
	if s.Memory != "" {
		bytes, err := bytesOf(s.Memory)
		if err != nil {
			return r, err
		}
		limits[corev1.ResourceMemory] = *resource.NewQuantity(bytes, resource.BinarySI)
	}
	if s.CPUs != "" {
		cpus, err := strconv.ParseFloat(s.CPUs, 64)
		if err != nil || cpus <= 0 || cpus > 1e6 {
			return r, fmt.Errorf("%w: cpus %s", engine.ErrOption, s.CPUs)
		}
		limits[corev1.ResourceCPU] = *resource.NewMilliQuantity(max(int64(cpus*1000), 1), resource.DecimalSI)
		requests[corev1.ResourceCPU] = *resource.NewMilliQuantity(max(int64(cpus*1000/cpuShare), 1), resource.DecimalSI)
	}
	if len(limits) > 0 {
		r.Limits, r.Requests = limits, requests
	}
	return r, nil
}

// bytesOf reads a size as Docker's options have it.
func bytesOf(size string) (int64, error) {
	digits := strings.TrimRight(strings.ToLower(size), "bkmg")
	n, err := strconv.ParseFloat(digits, 64)
	shift := map[string]uint{"": 0, "b": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30}
	by, ok := shift[strings.ToLower(size[len(digits):])]
	if n *= float64(uint64(1) << by); err != nil || !ok || n < 1 || n > 1<<62 {
		return 0, fmt.Errorf("%w: memory %s", engine.ErrOption, size)
	}
	return int64(n), nil
}

// LimitsOf returns the limits of a container.
func LimitsOf(c *corev1.Container) (l engine.Limits) {
	if m, ok := c.Resources.Limits[corev1.ResourceMemory]; ok {
		l.Memory = m.Value()
	}
	if cpus, ok := c.Resources.Limits[corev1.ResourceCPU]; ok {
		l.CPUs = cpus.MilliValue() * 1e6
	}
	return l
}
