package checks

import (
	"fmt"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/rules/values"
)

var recordingChecks = []check{
	{id: "recordings", severity: Error, why: "dockershrc(5), Recordings", need: wantSettings, user: recordings},
	{id: "recordings-space", severity: Warning, why: "dockershrc(5), Recordings", need: wantSettings, user: recordingsSpace},
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
	if r.Err != "" {
		return &fault{text: refused + r.Err, file: u.Settings.Origin("record").String(),
			lines: []string{"record = /var/lib/dockersh/%u/%x.cast"}}
	}
	f := unwritable(h, r.Room, "recordings.conf")
	if f != nil {
		f.text = refused + f.text
	}
	return f
}

// maxInUse is from when on a file system has little room left, in percent.
const maxInUse = 95

// recordingsSpace finds a file system that is nearly full, since users fill it as fast as their
// terminals show output; and one that recordmax does not keep from being full.
func recordingsSpace(h *facts.Host, u *facts.User) *fault {
	r := u.Recording
	if r == nil || r.Full {
		return nil
	}
	on := facts.MountOf(h.Mounts, r.At).On
	if most := values.Bytes(u.Settings.RecordMax); r.Size > 0 && most > float64(r.Size)*maxInUse/100 {
		return &fault{text: fmt.Sprintf("recordings are on the file system %s, which has %.1f GB: "+
			"it is full before recordmax = %s removes one", on, float64(r.Size)/1e9, u.Settings.RecordMax),
			file:  u.Settings.Origin("recordmax").String(),
			lines: []string{fmt.Sprintf("recordmax = %dm", uint64(float64(r.Size)*0.8)>>20)}}
	}
	if r.Space < maxInUse && r.Files < maxInUse {
		return nil
	}
	what := fmt.Sprintf("%d %% of its space is", r.Space)
	if r.Files > r.Space {
		what = fmt.Sprintf("%d %% of its files are", r.Files)
	}
	return &fault{text: "recordings are on the file system " + on + ", and " + what + " in use: once it is full " +
		"recordings have gaps, and logins on a terminal are refused. Remove old recordings, by recordmax for one",
		lines: []string{"df " + on, "df -i " + on}}
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
