package ctl

import (
	"context"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/admin/doctor"
	"github.com/dockersh/dockersh/internal/admin/explain"
	"github.com/dockersh/dockersh/internal/admin/metrics"
	"github.com/dockersh/dockersh/internal/admin/player"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/admin/top"
)

// command is a command of dockershctl.
type command struct {
	name, args string
	does       string // a line for the list of commands
	more       string // what its own help adds: arguments, what to know, an example
	run        func(ctx context.Context, env cli.Env, args []string) error
}

const (
	containerArgs = "NAME... | --user USER | --all"
	containerHelp = `  NAME         a container; dockershctl ls lists them
  --user USER  all containers that are this user's alone
  --all        all containers that dockersh made
`
	sessionArgs = "ID|NAME... | --user USER | --all"
	sessionHelp = `  ID           a session; dockershctl sessions lists them
  NAME         the sessions in this container
  --user USER  the sessions of this user
  --all        all sessions
`
	jsonHelp = "  --json       as JSON\n"
	yesHelp  = "  -y, --yes    do not ask\n"
)

// commands returns all commands, in the order of the help.
func commands() []command {
	return []command{
		{"ls", "[-q] [-s] [--json]", "list the containers that dockersh made", `  -q, --quiet  names only
  -s, --size   with the size of the container's own layer: the engine walks all its files
` + jsonHelp + `
It asks every engine that the settings name.
`, containers.Ls},

		{"sessions", "[-q] [--json] | --history [--user USER] [--since TIME] [--json]",
			"list the live sessions, or those of the past", `  -q, --quiet  ids only
  --history    who was in when, from where, how the session ended, and why the login
               was cold: it needed the engine, or waited for another login
  --user USER  only sessions of this user
  --since TIME only sessions since then: a duration such as 2h or 7d, or a date
` + jsonHelp + `
example: who is in the container classroom?
  dockershctl sessions | grep classroom
`, sessions.List},

		{"stop", containerArgs, "stop containers; their sessions end", containerHelp + `
The next login starts a stopped container again, with everything in it.

example: for an upgrade of the engine
  dockershctl stop --all
`, containers.Stop},

		{"start", containerArgs + " | --group GROUP", "start containers without a login, and make those of users",
			containerHelp + `  --group GROUP  those of the users in this group

Nothing but process 1 runs in the container until the next login. With --user and
--group, the container that a login would enter is made if there is none.

example: before the course
  dockershctl start --group students
`, containers.Start},

		{"restart", containerArgs, "stop containers and start them again", containerHelp, containers.Restart},

		{"apply", containerArgs, "set the memory, cpus and pidslimit of today's settings for containers", containerHelp + `
Nothing in them ends. Settings of the user who made a container count. What else
changed in them takes a new container: dockershctl reset.

example: after pidslimit was raised
  dockershctl apply --all
`, containers.Apply},

		{"reset", containerArgs + " [--yes]", "remove containers, even with sessions in them; the next login starts from the image",
			containerHelp + yesHelp + `
Mounted directories, such as a home of the host, stay. The command asks first, and
without a terminal it does nothing unless there is --yes.

example: after the course
  dockershctl reset --all
`, containers.Reset},

		{"rm", containerArgs + " [--force] [--yes]", "remove containers that nobody is in",
			containerHelp + `  -f, --force  also containers with sessions in them, which end
` + yesHelp + `
It asks first, as reset does. It never removes a container that was made by hand.

example: the containers of a user who has left
  dockershctl rm --user alice
`, containers.Rm},

		{"commit", "NAME IMAGE", "make an image of a container", `  NAME         a container
  IMAGE        name of the image, such as course:day2; an older one loses the name

The image lacks what is mounted. It has all other files, and so does everybody who
gets the image. The container is frozen meanwhile, and logins wait.

example: prepare one seat, and give it to all
  dockershctl commit trainer_dockersh course:day2    # then: imagename = course:day2
`, containers.Commit},

		{"kick", sessionArgs, "end sessions, as the end of their connection would", sessionHelp + `
Containers stay, unless they are ephemeral. A session that does not end within 5
seconds is killed.

example:
  dockershctl kick --user alice
`, sessions.Kick},

		{"message", sessionArgs + " TEXT", "write a line to the terminals of sessions",
			sessionHelp + `  TEXT         one argument, so quote it

example:
  dockershctl message --all "reboot at five o'clock"
`, sessions.Message},

		{"top", "", "show containers and sessions live, and act on them with keys",
			`The last line of the screen shows the keys. A key that ends something asks first.
`, top.Top},

		{"metrics", "[--textfile FILE]", "print numbers for Prometheus, in the OpenMetrics text format",
			`  --textfile FILE  write them to FILE, for node_exporter, and replace it at once

example: look at the logins
  dockershctl metrics | grep logins
`, metrics.Metrics},

		{"watch", "ID|NAME", "show a live session that is recorded, read-only", `  ID           a session; dockershctl sessions lists them
  NAME         a container with one recorded session in it

What the session has shown so far comes at once. Sessions are recorded if the
setting record is set.
`, player.Watch},

		{"replay", "FILE [--speed N] [--idle-limit SECONDS]", "play a recording", `  --speed N             N times as fast
  --idle-limit SECONDS  make no pause longer than this
`, player.Replay},

		{"explain", "USER [--client ADDRESS] [--json]", "show every effective setting of a user with its origin, and what a login would do",
			`  --client ADDRESS  for a login from this address
  --json            as JSON

example: why does alice get that image?
  dockershctl explain alice
`, explain.Explain},

		{"check", "[FILE] [--engine] [--json]", "check a settings file, and show all errors at once",
			`  --engine     also make and start a container by each section, and remove it
` + jsonHelp + `
example: before a new file is put in place
  dockershctl check dockershrc.new && mv dockershrc.new /etc/dockershrc
`, explain.Check},

		{"doctor", "[OPTION...] [USER...]", "check the host for ways around dockersh, and try a login", `  --login USER     log this user in
  --no-login       log nobody in
  --accept ID,...  do not report these findings
  --json           as JSON

dockershctl(8) explains the findings.
`, doctor.Doctor},

		{"sshd-config", "[--pam] [--keys] [USER... | --group GROUP]", "print the sshd_config lines that doctor asks for", `example:
  dockershctl sshd-config --group students >/etc/ssh/sshd_config.d/dockersh.conf

options:
  --pam          forward into containers, by the PAM module (man pam_dockersh)
  --keys         read the keys that users write inside, in a mounted home
  --group GROUP  for the users in this group
`, doctor.SSHDConfig},

		{"version", "", "show the version", "", printVersion},
		{"help", "[COMMAND]", "list the commands, or explain one", "", help},
	}
}
