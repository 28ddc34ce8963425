package checks

import (
	"slices"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

// unwritable finds a directory in which nothing new can be written. dropIn is the name of a
// file for the unit of the service.
func unwritable(h *facts.Host, r facts.Room, dropIn string) *fault {
	switch {
	case r.At == "": // not known
	case readOnly(h.Mounts, r.At):
		return &fault{text: r.At + " is mounted read-only", lines: []string{"findmnt --target " + r.At}}
	case r.Full:
		return &fault{text: "the file system of " + r.At + " is full", lines: []string{"df " + r.At, "df -i " + r.At}}
	case readOnly(h.ServiceMounts, r.At):
		return &fault{text: "dockershd may not write below " + r.At, file: "/etc/systemd/system/dockershd.service.d/" + dropIn,
			lines: []string{"[Service]", "ReadWritePaths=" + r.At}}
	}
	return nil
}

func readOnly(mounts []facts.Mount, path string) bool {
	return slices.Contains(facts.MountOf(mounts, path).Options, "ro")
}

// inventory finds a host that cannot note which containers there should be.
func inventory(h *facts.Host) []fault {
	f := unwritable(h, h.Inventory, "inventory.conf")
	if f == nil {
		return nil
	}
	f.text = "the first login of each user is refused: " + f.text
	return []fault{*f}
}
