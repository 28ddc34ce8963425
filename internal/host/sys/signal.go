package sys

import "golang.org/x/sys/unix"

// Pidfd returns a descriptor that becomes readable for poll(2) once process pid has ended.
func Pidfd(pid int) (int, error) { return unix.PidfdOpen(pid, 0) }

// SignalPidfd sends a signal to the process of a Pidfd, and never to another one that has
// got its number since (pidfd_send_signal(2)).
func SignalPidfd(fd int, sig unix.Signal) error { return unix.PidfdSendSignal(fd, sig, nil, 0) }
