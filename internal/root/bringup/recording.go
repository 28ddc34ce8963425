package bringup

import (
	"os"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/recordings"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// createRecording makes the file of a session's recording, and writes beside the session
// entry which it is. Without one there is no session.
func (b *Bringup) createRecording(l Login) (*os.File, error) {
	if err := policy.AdmitRecording(os.Geteuid()); err != nil {
		return nil, err
	}
	file, err := recordings.New(l.Plan.Record)
	if err == nil {
		err = b.State.Sessions().SetRecording(l.Session, file.Name())
		if err != nil {
			_ = os.Remove(file.Name())
			_ = file.Close()
		}
	}
	if err != nil {
		return nil, usererr.New(usererr.Unavailable, "this session cannot be recorded", usererr.ReadLog, err)
	}
	b.Log.Info("session recorded", "uid", l.Session.UID, "user", l.Session.User, "container", l.Plan.Container, "pid", l.Session.Pid,
		"file", file.Name())
	return file, nil
}
