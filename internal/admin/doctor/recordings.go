package doctor

import "slices"

var recordingChecks = []check{
	{id: "recordings", severity: Error, why: "dockershrc(5), Recordings", need: wantSettings, user: recordings},
	{id: "recordings-unmounted", severity: Warning, why: "dockershrc(5), Recordings", need: wantSettings, user: recordingsUnmounted},
}

// Recording is the place of a user's recordings.
type Recording struct {
	Dir     string // that is to hold the file
	At      string // the nearest that is there, without links
	Err     string // why root does not make it
	Full    bool   // the file system has no room for a file
	Missing string // a file system of fstab(5) on the way that is not mounted
}

// recordings: a login on a terminal that cannot be recorded is refused.
func recordings(h *Host, u *User) *fault {
	r := u.Recording
	if r == nil {
		return nil
	}
	const refused = "a login on a terminal is refused, because it is to be recorded: "
	switch {
	case r.Err != "":
		return &fault{text: refused + r.Err, file: u.Settings.Origin("record").String(), lines: []string{"record = /var/lib/dockersh/%u/%x.cast"}}
	case readOnly(h.Mounts, r.At):
		return &fault{text: refused + r.At + " is mounted read-only"}
	case r.Full:
		return &fault{text: refused + "the file system of " + r.At + " is full", lines: []string{"df " + r.At}}
	case readOnly(h.ServiceMounts, r.At):
		return &fault{text: refused + "dockershd may not write below " + r.At, file: "/etc/systemd/system/dockershd.service.d/recordings.conf",
			lines: []string{"[Service]", "ReadWritePaths=" + r.At}}
	}
	return nil
}

// recordingsUnmounted: they would go where nobody wants them, and be hidden later.
func recordingsUnmounted(_ *Host, u *User) *fault {
	if u.Recording == nil || u.Recording.Missing == "" {
		return nil
	}
	on := u.Recording.Missing
	return &fault{text: "recordings belong on " + on + ", which /etc/fstab names and which is not mounted", lines: []string{"mount " + on}}
}

func readOnly(mounts []Mount, path string) bool {
	return slices.Contains(mountOf(mounts, path).Options, "ro")
}

// unmounted gives the file system of fstab that a path should lie on and does not;
// empty: there is none.
func unmounted(fstab, mounts []Mount, path string) string {
	want := mountOf(fstab, path).On
	if want == "" || want == "/" || slices.ContainsFunc(mounts, func(m Mount) bool { return m.On == want }) {
		return ""
	}
	return want
}
