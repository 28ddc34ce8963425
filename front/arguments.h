/* What the arguments mean, as they would to a shell. */

#ifndef DOCKERSH_ARGUMENTS_H
#define DOCKERSH_ARGUMENTS_H

#include "wire.h"

/* What the shell in the container should run. */
struct request {
	int login;            /* as a login shell, which reads the profile */
	int command;          /* a command: of -c, or the original one of a forced session */
	char **args;          /* for the shell: behind -c with a command; ends with NULL */
	const char *original; /* SSH_ORIGINAL_COMMAND, where something else was forced; else NULL */
	int nothing;          /* nothing: sshd asked for ~/.ssh/rc */
};

/* Parses the arguments. Wrong ones end the program. */
struct request parse_arguments(char **argv);

/* Appends the argument vector of a shell, a list. */
void put_argv(struct packet *p, const struct request *r, struct text shell);

/* Returns the same vector for execve(2), NULL without memory. */
char **make_argv(const struct request *r, const char *shell);

/* Appends the command for the log, and the flag whether it was cut to MAX_WORDS. */
void put_words(struct packet *p, const struct request *r);

#endif
