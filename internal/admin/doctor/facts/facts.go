// Package facts holds what the doctor knows of a host. It is data alone: package doctor
// gathers it, and package checks judges it.
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
	Programs    []File // the programs, and the directories above them
	NoSuid      bool   // the login shell's file system is mounted nosuid
	Dumpable    bool   // the kernel dumps setuid programs (fs.suid_dumpable = 1)
	Served      bool   // dockershd answers
	Shells      []string
	Settings    string // path of the settings file
	SettingsErr string
	// Silent are the name services that do not answer and can put users into groups of
	// the settings.
	Silent []account.SilentService

	SSHD       string // path of the daemon; empty: there is none
	SSHDErr    string // why sshd -T fails
	SSHDFile   string // file of its configuration in which lines for dockersh belong
	SFTPServer string // path of the external sftp server

	PAM []*PAMService // those that sshd uses for Users
	// AskTheNetwork are the name services that ask over the network inside of sshd.
	AskTheNetwork []string
	OtherSSH      []string // programs that run and serve SSH, other than sshd

	EnvReaders []Location // lines that make PAM read ~/.pam_environment
	Prunes     []Location // lines of jobs that remove stopped containers
	Mounts     []Mount
	FSTab      []Mount // of fstab(5)
	// ServiceMounts are the mounts that dockershd sees: systemd gives it its own.
	ServiceMounts []Mount
	Inventory     Room
	Users         []*User // who get dockersh
	Engines       []*Engine
}

// File is a file or directory as lstat(2) shows it.
type File struct {
	Path    string
	UID     uint32
	Mode    uint32 // with its type
	Missing bool
}

// Location is a line in a file.
type Location struct {
	File string
	Line int
	Text string
}

// Mount is a mounted file system.
type Mount struct {
	On      string
	Options []string
}

// User is a user who gets dockersh.
type User struct {
	account.User
	Groups      []string
	Settings    *config.Settings // expanded; nil: see SettingsErr
	SettingsErr string
	SSHD        Options // of sshd for this user; nil: see SSHDErr
	SSHDErr     string
	Sockets     []string   // sockets of engines that the kernel lets the user open
	RealHome    string     // the home without symbolic links
	ByAddress   string     // a setting that needs the client's address
	ByKey       string     // a setting that needs the key
	Sources     []Source   // what the user's container can write
	Joins       bool       // by the settings, connections join a container (policy.DecideConnection)
	KeyCommands []string   // files of keys with a command=
	Recording   *Recording // nil: the user is not recorded
	Limits      Limits
	Missing     []Source // directories to mount that do not exist
	Unanswered  []string // places that did not answer: what else is known of them may be wrong
}

// Room is the file system of a directory that must be written.
type Room struct {
	At   string // the directory, or the nearest above that exists, without symbolic links
	Full bool   // there is no room for a file
	// Space and Files are how much of its space and of its number of files is in use, in
	// percent; 0 where it does not count them.
	Space, Files int
	Size         uint64 // in bytes; 0: it is not known
}

// Recording is the place where a user's recordings belong.
type Recording struct {
	Dir string // directory of the file
	Room
	Err     string // why root would not make the directory
	Missing string // a file system of fstab(5) that should hold it and is not mounted
}

// Source is a directory of the host that a container can write.
type Source struct {
	Key        string // the setting that mounts it
	Path, Real string
	Origin     syntax.Origin
}

// Engine is an engine that the settings of a user name.
type Engine struct {
	Socket string
	engine.About
	Err    string      // why it does not answer
	Mended []string    // names of holes that the distribution closed in its runc
	Lost   []string    // directories with programs that old containers mount, and that are gone
	Gone   []Container // containers of one user alone whose account exists no more
	// Profiles are those of AppArmor on this engine's host that crun may run under, by name:
	// its own, and that of podman, which it keeps where it has none.
	Profiles []string
}

// Container is a container that dockersh made.
type Container struct {
	Name, User string
	UID        uint32
}

// Led reports whether sshd or passwd leads the user to dockersh. Without an sshd to ask
// it depends on passwd alone.
func (u *User) Led(h *Host) bool { return u.Shell == h.Front || u.Forced(h) }

// Forced reports whether sshd runs dockersh whatever the user's shell is.
func (u *User) Forced(h *Host) bool { return u.SSHD.Forces(h.Front) }

// IsNologin reports whether a shell is for accounts that nobody may log in to.
func IsNologin(shell string) bool {
	name := filepath.Base(shell)
	return name == "nologin" || name == "false"
}
