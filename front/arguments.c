#define _GNU_SOURCE
#include "arguments.h"
#include "environment.h"
#include "message.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USAGE "run: dockersh [-l] [-c command]"
#define BLANKS " \t\n\v\f\r"

static char *no_args[] = { NULL };

/*
 * Reports whether sshd asks the login shell to run ~/.ssh/rc (by its full path since OpenSSH 8.7).
 * That file is for the host, where its owner may run nothing, and sshd(8) ignores the outcome.
 */
static int
is_ssh_rc(const char *command)
{
	const char *home = get_variable("HOME");
	size_t n = home == NULL ? 0 : strlen(home);

	if (strncmp(command, "/bin/sh ", 8) != 0)
		return 0;
	command += 8;
	if (strcmp(command, ".ssh/rc") == 0)
		return 1;
	return (n == 0 || strncmp(command, home, n) == 0) && strcmp(command + n, "/.ssh/rc") == 0;
}

/* Reports whether the first word is the path of this program. */
static int
is_self(const char *word, size_t len)
{
	static const char name[] = "/dockersh";
	char path[PATH_MAX];
	ssize_t n;

	if (len == strlen(name + 1) && memcmp(word, name + 1, len) == 0)
		return 1;
	if (len < strlen(name) || memcmp(word + len - strlen(name), name, strlen(name)) != 0)
		return 0;
	n = readlink("/proc/self/exe", path, sizeof(path));
	return n >= 0 && (size_t)n == len && memcmp(path, word, len) == 0;
}

/*
 * Parses -c, -l and -i, separate or combined, at the start of args, and returns the rest. The word
 * behind -c is the command, even if it begins with a dash: sshd puts the client's command there.
 */
static char **
parse_options(struct request *r, char **args)
{
	char text[256];

	while (!r->command && *args != NULL && (*args)[0] == '-' && (*args)[1] != 0) {
		const char *word = *args++;

		if (strcmp(word, "--") == 0)
			return args;
		if (strcmp(word, "--login") == 0) {
			r->login = 1;
			continue;
		}
		for (const char *o = word + 1; *o != 0; o++) {
			if (*o == 'l')
				r->login = 1;
			else if (*o == 'c')
				r->command = 1;
			else if (*o != 'i') /* every session with a terminal is interactive */
				fail(USAGE, "unknown option %s", clean((struct text){ word, strlen(word) }, text, sizeof(text)));
		}
	}
	if (r->command && *args == NULL)
		fail(USAGE, "-c needs a command");
	return args;
}

/* Splits a text in place into words. */
static char **
split(char *text)
{
	char **words = calloc(strlen(text) / 2 + 2, sizeof(*words)), *word;
	size_t n = 0;

	if (words == NULL)
		fail(HINT_LOG, "not enough memory");
	for (word = strtok(text, BLANKS); word != NULL; word = strtok(NULL, BLANKS))
		words[n++] = word;
	return words;
}

static struct request
parse(char **argv, int may_be_self)
{
	static char *original_only[2];
	struct request r = { .args = no_args }, forced;
	char **rest;

	if (*argv != NULL)
		r.login = **argv++ == '-';
	rest = parse_options(&r, argv);
	if (!r.command && *rest != NULL) { /* a script and its arguments, as with `su - alice file` */
		r.args = rest;
		r.original = get_variable("SSH_ORIGINAL_COMMAND");
		return r;
	}
	if (r.command) {
		char *word = rest[0] + strspn(rest[0], BLANKS);

		if (is_ssh_rc(rest[0])) {
			r.nothing = 1;
			return r;
		}
		/*
		 * This program is both the ForceCommand and the login shell: sshd runs "dockersh -c
		 * dockersh". The words after our name are our arguments.
		 */
		if (may_be_self && is_self(word, strcspn(word, BLANKS))) {
			forced = parse(split(rest[0]), 0);
			forced.login |= r.login;
			return forced;
		}
		r.args = rest;
		r.original = get_variable("SSH_ORIGINAL_COMMAND");
		return r;
	}
	original_only[0] = (char *)get_variable("SSH_ORIGINAL_COMMAND");
	if (original_only[0] != NULL) {
		r.command = 1;
		r.args = original_only;
		return r;
	}
	r.login = 1;
	return r;
}

struct request
parse_arguments(char **argv)
{
	return parse(argv, 1);
}

/* Returns what a shell's first argument is, apart from the dash of a login shell. */
static struct text
name_of(struct text shell)
{
	const char *slash = memrchr(shell.at, '/', shell.len);

	if (slash != NULL) {
		shell.len -= (size_t)(slash + 1 - shell.at);
		shell.at = slash + 1;
	}
	return shell;
}

void
put_argv(struct packet *p, const struct request *r, struct text shell)
{
	size_t place = begin_counted(p), zero;
	struct text name = name_of(shell);
	size_t count = 1;

	zero = begin_counted(p);
	put_raw(p, "-", r->login != 0);
	put_raw(p, name.at, name.len);
	end_counted(p, zero, name.len + (r->login != 0));
	if (r->command) {
		put_string(p, "-c");
		count++;
	}
	for (char **a = r->args; *a != NULL; a++) {
		put_string(p, *a);
		count++;
	}
	end_counted(p, place, count);
}

char **
make_argv(const struct request *r, const char *shell)
{
	struct text name = name_of((struct text){ shell, strlen(shell) });
	size_t n = 0, out = 0;
	char **argv, *zero;

	while (r->args[n] != NULL)
		n++;
	argv = calloc(n + 3, sizeof(*argv));
	zero = malloc(name.len + 2);
	if (argv == NULL || zero == NULL)
		return NULL;
	zero[0] = '-';
	memcpy(zero + 1, name.at, name.len + 1); /* with the NUL of shell */
	argv[out++] = r->login ? zero : zero + 1;
	if (r->command)
		argv[out++] = "-c";
	memcpy(argv + out, r->args, n * sizeof(*argv));
	return argv;
}

void
put_words(struct packet *p, const struct request *r)
{
	size_t place = begin_counted(p), from = p->len, room = MAX_WORDS;
	int cut = 0;

	for (char **a = r->args; *a != NULL && !cut; a++) {
		size_t n = strlen(*a);

		if (a != r->args) {
			cut = room == 0;
			put_raw(p, " ", !cut);
			room -= !cut;
		}
		cut = cut || n > room;
		put_raw(p, *a, n > room ? room : n);
		room -= n > room ? room : n;
	}
	end_counted(p, place, p->len - from);
	put_number(p, (uint64_t)cut, 1);
}
