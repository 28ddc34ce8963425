package state

import (
	"errors"
	"os"
	"path/filepath"
)

// Host returns what tells the brokers of this directory from those of other login hosts, for people too.
// It is another one after a reboot: what is known of the last one's sessions is of dead ones. Two hosts
// may be copies of one machine, so machine-id(5) does not tell them apart.
func (d RunDir) Host() (string, error) {
	path := filepath.Join(string(d), "host")
	if text, err := os.Readlink(path); err == nil {
		return text, nil
	}
	name, _ := os.Hostname() // it does without
	if err := os.Symlink(name+"-"+NewSessionID(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return os.Readlink(path)
}
