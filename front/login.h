/* Requests a session from a broker. */

#ifndef DOCKERSH_LOGIN_H
#define DOCKERSH_LOGIN_H

#include "arguments.h"
#include "channel.h"

/* What the broker granted: an agent, or else a shell on the host. */
struct grant {
	struct channel broker;
	struct channel agent;
	struct ready ready;
	const char *host_shell; /* NULL for an agent */
};

/* Stands for a broker that has yet to be connected to. */
#define NOT_CONNECTED (-1)

/*
 * Requests a session from a broker: from the one that is connected already, else from the service,
 * or else from one of its own. It returns with a grant, or ends the program.
 */
struct grant login(const struct request *r, int terminal, int broker);

/* Asks the broker what happened to the container of a lost session. */
const char *ask_why(const struct channel *broker);

/* Reports whether sshd forwards a display to this session. */
int forwards_x11(void);

#endif
