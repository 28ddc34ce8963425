package metrics

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// replace puts a file in place of another at once: a reader finds one or the other, whole. It
// can be read by everybody, and has no name until then that a reader looks for (node_exporter
// reads *.prom). The directory is looked up once: a monitoring program's account may own one
// above it.
func replace(path string, text []byte) error {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	last := filepath.Base(path)
	name := "." + last + "." + rand.Text()[:8]
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644) // whatever the umask is
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = dir.Rename(name, last)
	}
	if err != nil {
		_ = dir.Remove(name)
	}
	return err
}
