package dialect

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Check refuses a description that the command line cannot carry as it is meant:
// engine.ErrOption, engine.ErrNoImage.
func (d *Dialect) Check(s engine.Spec) error {
	if !ValidName(s.Name) {
		return fmt.Errorf("%w: %q cannot be the name of a container", engine.ErrOption, s.Name)
	}
	if err := CheckImage(s.Image); err != nil {
		return err
	}
	for _, m := range s.Mounts {
		// The reader of --mount makes a newline of a carriage return, and cuts
		// white space off values in some releases.
		for _, at := range []string{m.Source, m.Target} {
			if !strings.HasPrefix(at, "/") || strings.ContainsAny(at, "\r\n"+d.notInMount) || strings.TrimSpace(at) != at {
				return fmt.Errorf("%w: cannot mount %q", engine.ErrOption, at)
			}
		}
	}
	// Images name the places of these.
	for _, name := range strings.Fields(s.Labels[engine.LabelVolumes]) {
		for _, v := range s.Volumes {
			at, ok := strings.CutPrefix(v, name+":")
			if at = strings.TrimSuffix(at, ":ro"); ok && (!strings.HasPrefix(at, "/") || strings.ContainsAny(at, ":,")) {
				return fmt.Errorf("%w: cannot mount a volume at %q", engine.ErrOption, at)
			}
		}
	}
	for _, word := range d.createArgs(s) {
		if strings.ContainsRune(word, 0) {
			return fmt.Errorf("%w: %q has a zero byte", engine.ErrOption, word)
		}
	}
	return nil
}

// ValidName reports whether s can be a container's name or id. Anything else must
// not get into the path of a request, where ".." would ask something else.
func ValidName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '_' && c != '.' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 4096
}

// ValidID reports whether s is a complete id of a container.
func ValidID(s string) bool { return len(s) == 64 && ValidName(s) }

// CheckImage refuses what cannot be a reference to an image before it gets into the
// path of a request: engine.ErrNoImage.
func CheckImage(ref string) error {
	if _, err := reference.ParseAnyReference(ref); err != nil {
		return fmt.Errorf("%w: %q: %s", engine.ErrNoImage, ref, printable.Line(err.Error()))
	}
	return nil
}
