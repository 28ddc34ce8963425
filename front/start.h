/* Starts a session at an agent, of which nothing is trusted: it belongs to whoever is in the container. */

#ifndef DOCKERSH_START_H
#define DOCKERSH_START_H

#include "login.h"
#include "terminal.h"

/* What a session is started with. */
struct start {
	const struct grant *grant;
	const struct request *request;
	int terminal;         /* it gets a pty */
	modes modes;          /* of the user's terminal */
	struct size size;
	int stdio[3];         /* of a session without a terminal */
};

/* A session that runs. */
struct running {
	int master;           /* our end of its terminal, which does not block; -1 without one */
	int output;           /* where the terminal's output comes from: the master, or a pipe that does not block */
	int listener;         /* in the container, for the ssh agent; -1 for none */
	const char *ssh_agent; /* path of sshd's socket for it; NULL for none */
};

/* Starts the session, or ends the program. */
struct running start_session(const struct start *s);

#endif
