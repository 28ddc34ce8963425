// Package paths holds the places that are fixed when the programs are built.
//
// The linker sets them (see the Makefile: -X github.com/dockersh/dockersh/internal/host/paths.Bin=...);
// nothing in the environment, the arguments or a settings file moves them.
package paths

// Bin, Sbin and Libexec are where `make install` put the programs.
var (
	Bin     = "/usr/local/bin"
	Sbin    = "/usr/local/sbin"
	Libexec = "/usr/local/libexec"
)

// Etc holds the settings file.
var Etc = "/etc"

// Run is the broker's run-time directory: its own socket and, out of the reach
// of anyone else, one directory a container.
var Run = "/run/dockersh"

// Log is root's directory for what became of sessions.
var Log = "/var/log/dockersh"

// Front is the login shell.
func Front() string { return Bin + "/dockersh" }

// Broker is the service, and what goes on where a broker of one session needs an engine.
func Broker() string { return Sbin + "/dockershd" }

// Session is the broker of one session, which a front starts where no service runs.
func Session() string { return Libexec + "/dockershd-session" }

// Helpers is the directory that is mounted read-only into containers.
func Helpers() string { return Libexec + "/dockersh" }

// Bridge is the program that carries a session over the engine's exec.
func Bridge() string { return Libexec + "/dockersh-bridge" }

// Socket is the broker's socket, open to every user of the host.
func Socket() string { return Run + "/dockershd.sock" }

// Lock is the file by which a service knows that it is the only one. It stays
// until the next boot.
func Lock() string { return Run + "/dockershd.lock" }

// History is the file with a record of every session (internal/root/history).
func History() string { return Log + "/sessions.log" }

// Settings lists the settings files; the first that exists counts.
func Settings() [2]string { return [2]string{Etc + "/dockershrc", Etc + "/dockersh"} }
