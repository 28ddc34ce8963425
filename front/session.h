/* A session in the container, from its start to its end. */

#ifndef DOCKERSH_SESSION_H
#define DOCKERSH_SESSION_H

#include "login.h"

/*
 * Returns a pidfd of the sshd process that started us, so that a session without a terminal ends
 * with its connection too. Any other parent may end before us, as with any shell: -1. A login may
 * take long, so this is asked before.
 */
int open_sshd(void);

/*
 * Runs the session that the broker granted, and returns the exit code of its program. If a signal
 * ended that, the same signal ends this process. It ends with sshd, a pidfd or -1.
 */
int run_session(const struct grant *g, const struct request *r, int terminal, int sshd);

#endif
