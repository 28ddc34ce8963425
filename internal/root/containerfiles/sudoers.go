package containerfiles

import (
	"strconv"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// sudoersOff is what becomes of a file by which a user could become root inside.
const sudoersOff = "# Written by dockersh: the setting sudo is off.\n"

// sudoers returns the file by which a container user may become root inside, if the settings
// allow it. Each user of a shared container has one of their own.
func sudoers(plan *policy.Plan, user passwd.Identity) []engine.File {
	if !plan.Sudo() || user.UID == 0 {
		return nil
	}
	uid := strconv.FormatUint(uint64(user.UID), 10)
	return []engine.File{{Path: sudoersOf(user), Mode: 0o644, Optional: true,
		Data: []byte("# Written by dockersh: the setting sudo.\n#" + uid + " ALL=(ALL:ALL) NOPASSWD: ALL\n")}}
}

func sudoersOf(user passwd.Identity) string {
	return "/etc/sudoers.d/dockersh-" + strconv.FormatUint(uint64(user.UID), 10)
}

// turnSudoOff empties the file of the container before, which this one has.
func (w Writer) turnSudoOff() {
	if w.Plan.Sudo() || w.User.UID == 0 {
		return
	}
	name := sudoersOf(w.User)
	if text, err := w.Root.ReadFixed(name); err != nil || text == sudoersOff {
		return // there is none
	}
	if err := w.replace(name, []byte(sudoersOff)); err != nil {
		w.Log.Warn("sudo may still be on inside", "container", w.Plan.Container, "file", name, "cause", err)
	}
}
