package manifest

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/dockersh/dockersh/internal/engine"
)

// maxTemplate is the size of a template, in bytes.
const maxTemplate = 1 << 20

// overTemplate returns a pod with what else a template has; engine.ErrOption where that is not a pod.
func overTemplate(p *corev1.Pod, file string) (*corev1.Pod, error) {
	if file == "" {
		return p, nil
	}
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0) // not a FIFO
	if err != nil {
		return nil, fmt.Errorf("%w: podtemplate: %w", engine.ErrOption, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !IsOwn(info, 0o022) {
		return nil, fmt.Errorf("%w: podtemplate: %s can be changed by others (chown root %s && chmod go-w %s)",
			engine.ErrOption, file, file, file)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxTemplate))
	if err != nil {
		return nil, err
	}
	all, err := mergeUnder(text, p)
	if err != nil {
		return nil, fmt.Errorf("%w: podtemplate: %s: %w", engine.ErrOption, file, err)
	}
	return all, nil
}

// IsOwn reports whether a file is a regular one that belongs to root or to this process's user, and has
// none of the permission bits in without.
func IsOwn(info fs.FileInfo, without fs.FileMode) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && (owner.Uid == 0 || owner.Uid == uint32(os.Geteuid())) && info.Mode().IsRegular() && info.Mode()&without == 0
}

// mergeUnder lays a pod over a template.
func mergeUnder(template []byte, p *corev1.Pod) (*corev1.Pod, error) {
	if err := yaml.UnmarshalStrict(template, &corev1.Pod{}); err != nil {
		return nil, err
	}
	ours, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var under, over any
	if err := yaml.Unmarshal(template, &under); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(ours, &over); err != nil {
		return nil, err
	}
	merged, err := json.Marshal(merge(under, over))
	if err != nil {
		return nil, err
	}
	all := &corev1.Pod{}
	if err := json.Unmarshal(merged, all); err != nil {
		return nil, err
	}
	all.Name, all.GenerateName, all.Namespace, all.Status = p.Name, "", "", corev1.PodStatus{}
	return all, nil
}

// keys name the elements of the lists that are merged by element, as the API does it.
var keys = []string{"mountPath", "name"}

// merge returns what is in either; where both have something, over wins.
func merge(under, over any) any {
	switch o := over.(type) {
	case map[string]any:
		u, ok := under.(map[string]any)
		if !ok {
			return over
		}
		for name, value := range o {
			u[name] = merge(u[name], value)
		}
		return u
	case []any:
		u, ok := under.([]any)
		if !ok || len(o) == 0 || keyOf(o[0]) == "" {
			return over
		}
		var all []any
		for _, element := range o {
			for _, other := range u {
				if keyOf(other) == keyOf(element) {
					element = merge(other, element)
				}
			}
			all = append(all, element)
		}
		for _, other := range u {
			if !has(o, keyOf(other)) {
				all = append(all, other)
			}
		}
		return all
	case nil:
		return under
	}
	return over
}

func has(all []any, key string) bool {
	for _, one := range all {
		if keyOf(one) == key {
			return true
		}
	}
	return false
}

// keyOf returns what names an element; empty: nothing does.
func keyOf(element any) string {
	fields, _ := element.(map[string]any)
	for _, k := range keys {
		if name, ok := fields[k].(string); ok {
			return name
		}
	}
	return ""
}
