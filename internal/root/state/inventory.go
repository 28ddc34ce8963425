package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Inventory is the directory that says across reboots which containers there should be:
// an entry for each that was made to stay, and for each that is being made. A container
// that is missing although it has one was removed by somebody else. Entries change only
// while the container's lock is held. An empty Inventory keeps nothing: only root has a
// directory that lasts.
type Inventory string

// Expected is a container that was made to stay, or is being made.
type Expected struct {
	ID         string // the engine's
	UID        uint32 // of the user whose login made it
	Engine     string // host of the engine's address
	Unfinished bool   // it may have been started, and nobody has entered it yet
}

func (d Inventory) path(container string) string { return filepath.Join(string(d), container) }

// Get returns the entry of a container; ok is false without a readable one.
func (d Inventory) Get(container string) (s Expected, ok bool) {
	text, err := os.Readlink(d.path(container))
	if err != nil {
		return s, false
	}
	f := strings.Split(text, "\t")
	if len(f) != 4 {
		return s, false
	}
	uid, err := strconv.ParseUint(f[1], 10, 32)
	return Expected{f[0], uint32(uid), f[2], f[3] == half}, err == nil
}

// half and whole are what an entry says of Unfinished.
const half, whole = "half", "whole"

// ErrInventory says that the inventory cannot be written: its file system is full, or
// read-only.
var ErrInventory = errors.New("the inventory of containers cannot be written")

// Set writes the entry of a container, if it is not as written already. A power cut after
// that does not undo it. Errors are ErrInventory.
func (d Inventory) Set(container string, s Expected) error {
	if old, ok := d.Get(container); d == "" || ok && old == s {
		return nil
	}
	if err := d.set(container, s); err != nil {
		return fmt.Errorf("%w: %w", ErrInventory, err)
	}
	return nil
}

func (d Inventory) set(container string, s Expected) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	state := whole
	if s.Unfinished {
		state = half
	}
	text := strings.Join([]string{s.ID, strconv.FormatUint(uint64(s.UID), 10), s.Engine, state}, "\t")
	if err := writeLink(d.path(container), d.path(container)+unfinished, text); err != nil {
		return err
	}
	return d.sync()
}

// RemoveUnfinished removes what brokers left that were killed while they wrote an entry.
func (d Inventory) RemoveUnfinished() {
	left, _ := filepath.Glob(filepath.Join(string(d), "*"+unfinished)) // fails only on a bad pattern
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > unfinishedLimit {
			_ = os.Remove(path)
		}
	}
}

func (d Inventory) sync() error {
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Remove removes an entry, which may be gone; a power cut after that does not bring it
// back. It comes before the removal of the container: after an interruption nobody is
// accused of it. Errors are ErrInventory.
func (d Inventory) Remove(container string) error {
	if _, err := os.Lstat(d.path(container)); d == "" || errors.Is(err, os.ErrNotExist) {
		return nil // on a read-only file system too
	}
	err := unlink(d.path(container))
	if err == nil {
		err = d.sync()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInventory, err)
	}
	return nil
}
