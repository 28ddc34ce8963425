package ctl

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/admin/cli"
)

// help is the command help: it lists the commands, or explains one.
func help(_ context.Context, env cli.Env, args []string) error {
	words, err := cli.Options{}.Parse(args, 0, 1)
	if err != nil {
		return err
	}
	text := overview()
	if len(words) > 0 {
		c, err := find(words[0])
		if err != nil {
			return err
		}
		text = c.help()
	}
	_, err = io.WriteString(env.Out, text)
	return err
}

// find returns the command of a name.
func find(name string) (command, error) {
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return command{}, cli.Unknown(fmt.Sprintf("unknown command %q", name), name, names, "dockershctl help")
}

// usage returns the command line of a command.
func (c command) usage() string {
	return strings.TrimSpace("dockershctl " + c.name + " " + c.args)
}

// help returns the help of a command.
func (c command) help() string {
	text := "usage: " + c.usage() + "\n\n" + strings.ToUpper(c.does[:1]) + c.does[1:] + ".\n"
	if c.more != "" {
		text += "\n" + c.more
	}
	return text
}

// overview returns the list of the commands.
func overview() string {
	var b strings.Builder
	b.WriteString("usage: dockershctl COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-12s %s\n", c.name, c.does)
	}
	b.WriteString("\nMore: dockershctl help COMMAND, and dockershctl(8).\n")
	return b.String()
}

// wantsHelp reports whether --help is among the options.
func wantsHelp(args []string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		if a == "-h" || a == "--help" {
			return true
		}
	}
	return false
}
