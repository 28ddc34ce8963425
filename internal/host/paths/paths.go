// Package paths holds the places that are fixed when the programs are built.
//
// The linker sets them (see the Makefile:
// -X github.com/dockersh/dockersh/internal/host/paths.Bin=...); nothing in the environment,
// the arguments or a settings file changes them.
package paths

// Bin, Sbin and Libexec are where `make install` puts the programs.
var (
	Bin     = "/usr/local/bin"
	Sbin    = "/usr/local/sbin"
	Libexec = "/usr/local/libexec"
)

// Etc is the directory of the settings file.
var Etc = "/etc"

// Run is the broker's run-time directory. It has the broker's socket and, out of the reach
// of others, a directory for each container.
var Run = "/run/dockersh"

// OwnRuns returns the places for the run-time directory of a broker with its user's rights,
// best first. The user's number may be "*", for a pattern.
func OwnRuns(uid string) [2]string {
	return [2]string{"/run/user/" + uid + "/dockersh", "/tmp/dockersh-" + uid}
}

// Lib is the directory of what outlives a reboot, for root alone.
var Lib = "/var/lib/dockersh"

// Log is the directory of the history, for root alone.
var Log = "/var/log/dockersh"

// Front returns the path of the login shell.
func Front() string { return Bin + "/dockersh" }

// Broker returns the path of the service, which also takes over if a broker of one session
// needs an engine.
func Broker() string { return Sbin + "/dockershd" }

// Session returns the path of the broker of one session, which a front starts if no service
// runs.
func Session() string { return Libexec + "/dockershd-session" }

// Helpers returns the directory that is mounted read-only into containers.
func Helpers() string { return Libexec + "/dockersh" }

// Bridge returns the path of the program that carries a session over the engine's exec, or
// records its terminal.
func Bridge() string { return Libexec + "/dockersh-bridge" }

// Pods returns the path of the program that has the client of Kubernetes clusters.
func Pods() string { return Libexec + "/dockershd-pods" }

// Socket returns the path of the broker's socket, which is open to every user of the host.
func Socket() string { return Run + "/dockershd.sock" }

// Lock returns the path of the file whose lock makes a service the only one. The file stays
// until the next boot.
func Lock() string { return Run + "/dockershd.lock" }

// History returns the path of the history (internal/root/history).
func History() string { return Log + "/sessions.log" }

// Inventory returns the directory that lists the containers that there should be.
func Inventory() string { return Lib + "/containers" }

// Services returns the directory of the name services that ever answered
// (account.DB.KnownServices).
func Services() string { return Lib + "/services" }

// Settings returns the paths of the settings file; the first that exists counts.
func Settings() [2]string { return [2]string{Etc + "/dockershrc", Etc + "/dockersh"} }
