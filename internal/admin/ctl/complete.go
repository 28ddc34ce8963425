package ctl

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/containers"
	"github.com/dockersh/dockersh/internal/admin/doctor"
	"github.com/dockersh/dockersh/internal/admin/installed"
	"github.com/dockersh/dockersh/internal/admin/sessions"
)

// The completions of shells (dist/completion) ask the program itself: what it offers cannot
// differ from what it takes.

// forCompletion is the first argument for a shell that completes: the words that follow are
// those of the command line up to the one that is being written, which may be empty.
const forCompletion = "__complete"

// files is offered in place of names of files, which the shell knows better.
const files = ":files"

const (
	completionLimit = 2 * time.Second // somebody waits who pressed a key
	maxCandidates   = 1000
)

// candidate is what may stand in place of the last word.
type candidate struct {
	word, text string // text describes it, and may be empty
}

// complete prints the candidates for the last word, one a line, with a tab before the
// description. Whatever goes wrong, there are fewer of them.
func complete(ctx context.Context, env cli.Env, words []string) {
	ctx, cancel := context.WithTimeout(ctx, completionLimit)
	defer cancel()
	if len(words) == 0 {
		return
	}
	begin := words[len(words)-1]
	n := 0
	for _, c := range candidates(ctx, env, words) {
		if !strings.HasPrefix(c.word, begin) && c.word != files {
			continue
		}
		if n++; n > maxCandidates {
			return
		}
		line := c.word
		if c.text != "" {
			line += "\t" + c.text
		}
		fmt.Fprintln(env.Out, line)
	}
}

// plain are names that a shell takes as they are, wherever they stand. Others are not offered:
// users of a directory and images can have any name.
var plain = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@:/,+-]*$`)

// candidates returns what may stand in place of the last word, and more.
func candidates(ctx context.Context, env cli.Env, words []string) (all []candidate) {
	last := len(words) - 1
	if last == 0 {
		return commandNames()
	}
	c, err := find(words[0])
	if err != nil {
		return nil
	}
	taken, onlyWords := 0, false
	for i := 1; i < last; i++ {
		o, ok := c.option(words[i])
		switch {
		case onlyWords || !strings.HasPrefix(words[i], "-"):
			taken++
		case words[i] == "--":
			onlyWords = true
		case ok && o.value != "" && i == last-1:
			return values(ctx, env, o.value, words[last])
		case ok && o.value != "":
			i++
		}
	}
	if name, value, with := strings.Cut(words[last], "="); with && !onlyWords {
		o, _ := c.option(name)
		for _, v := range values(ctx, env, o.value, value) {
			if v.word != files { // the shell would complete the whole word
				v.word = name + "=" + v.word
				all = append(all, v)
			}
		}
		return all
	}
	a, ok := c.argumentAt(taken)
	if !onlyWords && (!ok || strings.HasPrefix(words[last], "-")) {
		for _, o := range c.options() {
			all = append(all, candidate{o.name, o.text})
		}
		return all
	}
	for _, kind := range a.kinds {
		all = append(all, values(ctx, env, kind, words[last])...)
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return a.many && slices.Contains(words[1:last], c.word) })
}

func commandNames() (all []candidate) {
	for _, c := range commands() {
		all = append(all, candidate{c.name, c.does})
	}
	return all
}

// values returns what there is of a kind, as the help of commands calls it. begin is how the
// word begins.
func values(ctx context.Context, env cli.Env, kind, begin string) (all []candidate) {
	add := func(word, text string) {
		if plain.MatchString(word) {
			all = append(all, candidate{word, text})
		}
	}
	switch kind {
	case "FILE":
		return []candidate{{word: files}}
	case "COMMAND":
		return commandNames()
	case "ID,":
		before := begin[:strings.LastIndexByte(begin, ',')+1]
		for _, id := range doctor.IDs() {
			add(before+id, "")
		}
	case "USER":
		users, _ := installed.Accounts(0).All(ctx)
		for _, u := range users {
			add(u.Name, "")
		}
	case "GROUP":
		for _, name := range groupNames() {
			add(name, "")
		}
	case "NAME", "IMAGE", "ID":
		if cli.RequireRoot(forCompletion) != nil {
			return nil
		}
		if kind == "ID" {
			entries, _ := sessions.Entries(ctx, nil)
			for _, e := range entries {
				add(e.ID, "session")
			}
			break
		}
		found, _, _ := containers.List(ctx, env.Engines, false)
		for _, c := range found {
			if kind == "NAME" {
				add(c.Name, "container")
			} else {
				add(c.Image, "")
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int { return strings.Compare(a.word, b.word) })
	return slices.Compact(all)
}

// groupNames returns the groups of this host's own file.
func groupNames() (names []string) {
	f, err := os.Open("/etc/group")
	if err != nil {
		return nil
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, _, ok := strings.Cut(lines.Text(), ":"); ok {
			names = append(names, name)
		}
	}
	return names
}
