/* A session in the container, from its start to its end. */

#ifndef DOCKERSH_SESSION_H
#define DOCKERSH_SESSION_H

#include "login.h"

/*
 * Runs the session that the broker granted, and returns the exit code of its program. If a signal
 * ended that, the same signal ends this process.
 */
int run_session(const struct grant *g, const struct request *r, int terminal);

#endif
