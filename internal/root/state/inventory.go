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

// Inventory is the directory that lists across reboots the containers that there should be:
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
	Carrying   bool   // another one is about to take its place, and nobody has entered that one yet
	Old        string // the id of the one whose place it took, while that may still exist
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
	s = Expected{ID: f[0], UID: uint32(uid), Engine: f[2], Unfinished: f[3] == half, Carrying: f[3] == carrying}
	s.Old, _ = strings.CutPrefix(f[3], after)
	if s.Old == f[3] {
		s.Old = ""
	}
	return s, err == nil
}

// What the last field of an entry is; after is before Expected.Old.
const half, whole, carrying, after = "half", "whole", "carrying", "after "

// phase returns the last field.
func (s Expected) phase() string {
	switch {
	case s.Unfinished:
		return half
	case s.Carrying:
		return carrying
	case s.Old != "":
		return after + s.Old
	}
	return whole
}

// Carried returns the containers of which one takes the place of another, or did.
func (d Inventory) Carried() (containers []string) {
	all, _ := os.ReadDir(string(d)) // without it there are none
	for _, e := range all {
		if s, ok := d.Get(e.Name()); ok && (s.Carrying || s.Old != "") {
			containers = append(containers, e.Name())
		}
	}
	return containers
}

// ErrInventory means that the inventory cannot be written: its file system is full, or
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
	text := strings.Join([]string{s.ID, strconv.FormatUint(uint64(s.UID), 10), s.Engine, s.phase()}, "\t")
	if err := writeLink(d.path(container), d.path(container)+unfinished, text); err != nil {
		return err
	}
	return d.sync()
}

// unfinishedLimit is longer than the writing of an entry takes.
const unfinishedLimit = 10 * time.Minute

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
