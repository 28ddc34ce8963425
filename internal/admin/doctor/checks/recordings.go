package checks

import (
	"slices"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
)

var recordingChecks = []check{
	{id: "recordings", severity: Error, why: "dockershrc(5), Recordings", need: wantSettings, user: recordings},
	{id: "recordings-unmounted", severity: Warning, why: "dockershrc(5), Recordings", need: wantSettings, user: recordingsUnmounted},
}

// recordings finds places that cannot take a recording: a login on a terminal that has to
// be recorded is then refused.
func recordings(h *facts.Host, u *facts.User) *fault {
	r := u.Recording
	if r == nil {
		return nil
	}
	const refused = "a login on a terminal is refused, because it cannot be recorded: "
	switch {
	case r.Err != "":
		return &fault{text: refused + r.Err, file: u.Settings.Origin("record").String(),
			lines: []string{"record = /var/lib/dockersh/%u/%x.cast"}}
	case readOnly(h.Mounts, r.At):
		return &fault{text: refused + r.At + " is mounted read-only"}
	case r.Full:
		return &fault{text: refused + "the file system of " + r.At + " is full", lines: []string{"df " + r.At}}
	case readOnly(h.ServiceMounts, r.At):
		return &fault{text: refused + "dockershd may not write below " + r.At,
			file:  "/etc/systemd/system/dockershd.service.d/recordings.conf",
			lines: []string{"[Service]", "ReadWritePaths=" + r.At}}
	}
	return nil
}

// recordingsUnmounted finds a file system that is not mounted: recordings would go below
// its mount point, and be hidden later.
func recordingsUnmounted(_ *facts.Host, u *facts.User) *fault {
	if u.Recording == nil || u.Recording.Missing == "" {
		return nil
	}
	on := u.Recording.Missing
	return &fault{text: "recordings belong on " + on + ", which is in /etc/fstab and is not mounted", lines: []string{"mount " + on}}
}

func readOnly(mounts []facts.Mount, path string) bool {
	return slices.Contains(facts.MountOf(mounts, path).Options, "ro")
}
