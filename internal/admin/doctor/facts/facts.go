// Package facts is what the doctor knows of a host.
package facts

import (
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// Host is what is known of a host.
type Host struct {
	Front       string // the login shell
	Helpers     string // the directory that is mounted into containers
	Programs    []File // what is installed, and the directories above
	NoSuid      bool   // the login shell lies on a file system where setuid does nothing
	Dumpable    bool   // the kernel dumps setuid programs, and hides nothing of them
	Served      bool   // dockershd answers
	Shells      []string
	Settings    string // path of the settings file
	SettingsErr string

	SSHD       string // path of the daemon; empty: there is none
	SSHDErr    string // why it cannot be asked
	SSHDFile   string // where its lines go
	SFTPServer string // path of the external sftp server

	EnvReaders []Place // where PAM is told to read ~/.pam_environment
	Mounts     []Mount
	FSTab      []Mount // those of fstab(5)
	// ServiceMounts are the mounts as dockershd sees them: systemd gives it its own.
	ServiceMounts []Mount
	Users         []*User // who gets dockersh
	Engines       []*Engine
}

// File is a file or directory as lstat(2) shows it.
type File struct {
	Path    string
	UID     uint32
	Mode    uint32 // with its type
	Missing bool
}

// Place is a line in a file.
type Place struct {
	File string
	Line int
	Text string
}

// Mount is a mounted file system.
type Mount struct {
	On      string
	Options []string
}

// User is one who gets dockersh.
type User struct {
	account.User
	Groups      []string
	Settings    *config.Settings // expanded; nil: see SettingsErr
	SettingsErr string
	SSHD        Options // what sshd would do for him; nil: see SSHDErr
	SSHDErr     string
	Sockets     []string // of engines, that the kernel lets him open
	RealHome    string   // without links
	ByAddress   string   // the setting that asks for the client's address
	ByKey       string   // ... for the key that authenticated
	Sources     []Source
	Recording   *Recording // nil: he is not recorded
}

// Recording is the place of a user's recordings.
type Recording struct {
	Dir     string // that is to hold the file
	At      string // the nearest that is there, without links
	Err     string // why root does not make it
	Full    bool   // the file system has no room for a file
	Missing string // a file system of fstab(5) on the way that is not mounted
}

// Source is a directory of the host that the container of a user can write.
type Source struct {
	Key        string // of the setting
	Path, Real string
	Origin     syntax.Origin
}

// Engine is one that the users' settings name.
type Engine struct {
	Socket string
	engine.About
	Err string // it does not answer
}

// Led tells whether sshd, or passwd, leads the user to dockersh. Without an sshd
// to ask it is passwd alone.
func (u *User) Led(h *Host) bool { return u.Shell == h.Front || u.Forced(h) }

// Forced tells whether sshd runs dockersh whatever the user's shell is.
func (u *User) Forced(h *Host) bool { return u.SSHD.Forces(h.Front) }

// ShutsOut tells the shells of accounts that nobody is to log in to.
func ShutsOut(shell string) bool {
	name := filepath.Base(shell)
	return name == "nologin" || name == "false"
}
