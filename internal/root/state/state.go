// Package state is what brokers keep in files below the run-time directory, with the locks on
// it: what is known of each container, the entries of live sessions, and what happens to
// containers that nobody is in; and the inventory, which outlives that directory. The
// files are what several brokers and dockershctl share, and what survives the end of any of
// them. The package opens no socket and knows no message.
package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/seen"
)

// RunDir is the run-time directory of a broker: /run/dockersh for a root broker's. It is lost at a
// reboot and made again by the next broker.
type RunDir string

// Make makes the directory and those below it. It does not touch what is there.
func (d RunDir) Make() error {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	// For nobody else: the sockets of the agents are here.
	for _, dir := range []string{d.containers(), string(d.Sessions()), string(d.Retentions())} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (d RunDir) containers() string { return filepath.Join(string(d), "c") }

// Container returns the directory of a container.
func (d RunDir) Container(name string) ContainerDir {
	return ContainerDir(filepath.Join(d.containers(), name))
}

// Sessions returns the directory of the entries of live sessions.
func (d RunDir) Sessions() Sessions { return Sessions(filepath.Join(string(d), "s")) }

// Retentions returns the directory with what happens to containers that nobody
// is in.
func (d RunDir) Retentions() Retentions { return Retentions(filepath.Join(string(d), "retention")) }

// Seen returns the names of what brokers saw since the host started.
func (d RunDir) Seen() seen.Dir { return seen.Dir(filepath.Join(string(d), "seen")) }

// Images returns the directory in which package images keeps the accounts of images.
func (d RunDir) Images() string { return filepath.Join(string(d), "images") }

// Containers returns the names of the containers that have a directory.
func (d RunDir) Containers() []string {
	all, _ := os.ReadDir(d.containers()) // without it there are none
	var names []string
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), removing) {
			names = append(names, e.Name())
		}
	}
	return names
}

// FinishRemovals removes the directories that a killed broker began to remove.
func (d RunDir) FinishRemovals() error {
	all, _ := filepath.Glob(string(d.Container("*" + removing))) // fails only on a bad pattern
	var errs []error
	for _, dir := range all {
		errs = append(errs, removeFlat(dir))
	}
	return errors.Join(errs...)
}

// RemoveContainer removes what was kept of a container that is gone, its retention
// last. After an interruption it can be called again.
func (d RunDir) RemoveContainer(name string) error {
	return errors.Join(d.Container(name).Remove(), d.Retentions().Remove(name))
}

// writeLink replaces a symbolic link in one step. Small facts are the text of links
// that lead nowhere: one system call writes or reads one, and nobody sees half of it.
func writeLink(path, tmp, text string) error {
	if err := unix.Unlink(tmp); err != nil && !errors.Is(err, unix.ENOENT) { // left by a killed broker
		return &os.PathError{Op: "unlink", Path: tmp, Err: err}
	}
	if err := os.Symlink(text, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
