package ctl

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/admin/doctor"
	"github.com/dockersh/dockersh/internal/admin/explain"
	"github.com/dockersh/dockersh/internal/admin/player"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/admin/top"
)

// command is one subcommand.
type command struct {
	name, args, does string
	more             string // what its own help says besides: options, what to know, an example
	run              func(ctx context.Context, out io.Writer, args []string) error
}

const (
	boxArgs     = "NAME... | --user USER | --all"
	boxWords    = "  NAME         a container; dockershctl ls lists them\n  --user USER  all containers that are this user's alone\n  --all        all containers that dockersh made\n"
	peopleArgs  = "ID|NAME... | --user USER | --all"
	peopleWords = "  ID           a session; dockershctl sessions lists them\n  NAME         the sessions in this container\n  --user USER  the sessions of this user\n  --all        all sessions\n"
	jsonWord    = "  --json       as JSON\n"
	yesWord     = "  -y, --yes    do not ask\n"
)

// commands in the order of the help.
func commands() []command {
	return []command{
		{"ls", "[-q] [-s] [--json]", "list the containers that dockersh made",
			"  -q, --quiet  names only\n  -s, --size   with the size of each one's own layer: the engine walks all its files\n" + jsonWord +
				"\nIt asks every engine that the settings name.\n", containers.Ls},
		{"sessions", "[-q] [--json] | --history [--user USER] [--since TIME] [--json]", "list the live sessions, or those that were",
			"  -q, --quiet  ids only\n  --history    who was in when, from where, and how it ended\n  --user USER  only this user's\n  --since TIME only since then: a duration such as 2h or 7d, or a date\n" + jsonWord + "\nexample: who is in the container classroom?\n  dockershctl sessions | grep classroom\n", sessions.List},
		{"stop", boxArgs, "stop containers; their sessions end",
			boxWords + "\nThe next login starts a stopped container again, with all that is in it.\n\nexample: for an upgrade of the engine\n  dockershctl stop --all\n", containers.Stop},
		{"start", boxArgs, "start containers without a login",
			boxWords + "\nNothing but process 1 runs in it until the next login.\n", containers.Start},
		{"restart", boxArgs, "stop containers and start them again", boxWords, containers.Restart},
		{"reset", boxArgs + " [--yes]", "remove containers, with sessions in them; the next login starts from the image",
			boxWords + yesWord + "\nWhat is mounted, such as a home of the host, stays. It asks first, and without a\nterminal it does nothing but with --yes.\n\nexample: after the course\n  dockershctl reset --all\n", containers.Reset},
		{"rm", boxArgs + " [--force] [--yes]", "remove containers that nobody is in",
			boxWords + "  -f, --force  also those with sessions in them, which end\n" + yesWord +
				"\nIt asks first, as reset. What was made by hand is never removed.\n\nexample: what alice left behind\n  dockershctl rm --user alice\n", containers.Rm},
		{"commit", "NAME IMAGE", "make an image of a container",
			"  NAME         a container\n  IMAGE        name of the image, such as course:day2; it takes the name from an older one\n" +
				"\nWhat is mounted is not in it; what users wrote into files of the container is, for\nwhoever gets the image. The container is frozen meanwhile, and logins wait.\n\nexample: prepare one seat, and give it to all\n  dockershctl commit trainer_dockersh course:day2    # then: imagename = course:day2\n", containers.Commit},
		{"kick", peopleArgs, "end sessions, as the end of their connection would",
			peopleWords + "\nContainers stay, but for ephemeral ones. What does not end within 5 seconds is killed.\n\nexample:\n  dockershctl kick --user alice\n", sessions.Kick},
		{"message", peopleArgs + " TEXT", "write a line to the terminals of sessions",
			peopleWords + "  TEXT         one word of the command line, so in quotes\n\nexample:\n  dockershctl message --all \"reboot at five o'clock\"\n", sessions.Message},
		{"top", "", "show containers and sessions live, and act at a key",
			"The keys are at the foot of the screen. What ends something asks first.\n", top.Top},
		{"watch", "ID|NAME", "show a live session that is recorded, read only",
			"  ID           a session; dockershctl sessions lists them\n  NAME         a container with one session in it\n\nWhat was shown so far comes at once. Sessions are recorded where the settings say record.\n", player.Watch},
		{"replay", "FILE [--speed N] [--idle-limit SECONDS]", "play a recording",
			"  --speed N             so many times as fast\n  --idle-limit SECONDS  no longer pause than this\n", player.Replay},
		{"explain", "USER [--client ADDRESS] [--json]", "show every effective setting of a user with its origin, and what a login would do",
			"  --client ADDRESS  for a login from there\n  --json            as JSON\n\nexample: why does alice get that image?\n  dockershctl explain alice\n", explain.Explain},
		{"check", "[FILE] [--json]", "check a settings file, and show all errors at once",
			jsonWord + "\nexample: before a new file is put in place\n  dockershctl check dockershrc.new && mv dockershrc.new /etc/dockershrc\n", explain.Check},
		{"doctor", "[OPTION...] [USER...]", "judge the host: what lets users get past dockersh; ends with a login",
			"  --login USER     log this user in\n  --no-login       log nobody in\n  --accept ID,...  do not tell of these findings\n  --json           as JSON\n\nFindings are explained in dockershctl(8).\n", doctor.Doctor},
		{"sshd-config", "[USER... | --group NAME]", "print the lines of sshd_config with which sshd passes doctor",
			"example:\n  dockershctl sshd-config --group students >/etc/ssh/sshd_config.d/dockersh.conf\n", doctor.SSHDConfig},
		{"version", "", "show the version", "", version},
		{"help", "[COMMAND]", "list the commands, or explain one", "", help},
	}
}

// find gives a command by its name.
func find(name string) (c command, known bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func names() (all []string) {
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return all
}

// help shows all commands, or what is to be known of one.
func help(_ context.Context, out io.Writer, args []string) error {
	words, err := cli.Options{}.Parse(args, 0, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return overview(out)
	}
	c, known := find(words[0])
	if !known {
		return cli.Unknown(fmt.Sprintf("unknown command %q", words[0]), words[0], names(), "dockershctl help")
	}
	_, err = io.WriteString(out, c.help())
	return err
}

// help is the page of one command.
func (c command) help() string {
	text := "usage: dockershctl " + strings.TrimSpace(c.name+" "+c.args) + "\n\n" + strings.ToUpper(c.does[:1]) + c.does[1:] + ".\n"
	if c.more != "" {
		text += "\n" + c.more
	}
	return text
}

// overview lists the commands.
func overview(out io.Writer) error {
	var b strings.Builder
	b.WriteString("usage: dockershctl COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-12s %s\n", c.name, c.does)
	}
	b.WriteString("\ndockershctl help COMMAND says more, dockershctl(8) all.\n")
	_, err := io.WriteString(out, b.String())
	return err
}
