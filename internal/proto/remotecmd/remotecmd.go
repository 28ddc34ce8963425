// Package remotecmd reads which program of the container an ssh client's command asks for,
// and knows what may run in its place: clients ask for paths of the host.
package remotecmd

import (
	"slices"
	"strings"
)

// Files is the program that serves files where an image has none for it. It lies in the
// read-only directory that is mounted into containers.
const Files = "/.dockersh/dockersh-files"

// Command is a command that runs a program of which clients know that it is there on a
// host.
type Command struct {
	Name   string   // of the program, for people
	Places []string // of the program, best first: commands, which begin with a path or a name for PATH; may be empty
	Asked  string   // the first word of the command
	Rest   string   // of the command, behind that
}

// sftpServers are the paths of OpenSSH's sftp server on the systems of this world.
var sftpServers = [...]string{"/usr/lib/openssh/sftp-server", "/usr/lib/ssh/sftp-server", "/usr/libexec/openssh/sftp-server",
	"/usr/libexec/sftp-server", "/usr/lib/sftp-server"}

// others are programs of which nobody but the image can have one.
var others = [...]string{"rsync", "git-upload-pack", "git-receive-pack", "git-upload-archive", "borg", "svnserve", "unison"}

// Parse reads a command. ok is false if it runs no program that is known here: nothing may
// then take its place.
func Parse(command string) (c Command, ok bool) {
	word, _, _ := strings.Cut(command, " ")
	if word == "" || strings.Trim(word, plain) != "" {
		return c, false // the shell reads something else than this word
	}
	c.Asked, c.Rest = word, command[len(word):]
	c.Name = word[strings.LastIndexByte(word, '/')+1:]
	switch {
	case word == "internal-sftp":
		c.Name, c.Places = "sftp-server", places("", sftpServers[:], "sftp-server")
	case c.Name == "sftp-server" && word[0] == '/':
		c.Places = places(word, sftpServers[:], "sftp-server")
	case c.Name == "scp" && (word == "scp" || word[0] == '/') && isRemoteSide(c.Rest):
		c.Places = places(word, []string{"scp"}, "scp")
	default:
		return c, slices.Contains(others[:], word)
	}
	return c, true
}

// plain has the characters that mean themselves to every shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./"

// places returns what was asked for, the known places, and our own program.
func places(asked string, known []string, own string) (list []string) {
	if asked != "" {
		list = append(list, asked)
	}
	return append(append(list, known...), Files+" "+own)
}

// isRemoteSide reports whether options of scp make it the remote side of another one.
func isRemoteSide(rest string) bool {
	for word := range strings.FieldsSeq(rest) {
		if word[0] != '-' || word == "--" || strings.Trim(word[1:], "tfrpdvq") != "" {
			return false
		}
		if strings.ContainsAny(word, "tf") {
			return true
		}
	}
	return false
}

// Of returns the command that a shell with these arguments runs; ok is false if it runs
// none, or gets more than a command.
func Of(argv []string) (command string, ok bool) {
	if len(argv) != 3 || argv[1] != "-c" {
		return "", false
	}
	return argv[2], true
}
