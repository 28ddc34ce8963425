/* How the end of a session becomes that of this process (internal/proto/exitstatus). */

#ifndef DOCKERSH_EXITSTATUS_H
#define DOCKERSH_EXITSTATUS_H

#include <stdint.h>

/*
 * Returns the exit code, or sets the signal (else 0) that ended the session's program. status is in
 * the format of wait4(2), but may come from a hostile agent: what is not the end of a process is a
 * death by SIGKILL.
 */
int split_status(uint32_t status, int *signal);

/* What a shell adds to the number of a signal to get an exit code. */
#define SIGNALED 128

/*
 * Ends this process by a signal, as if it had no handler for it, so that the parent (sshd) sees
 * that death. It returns only if the signal does not end a process.
 */
void die_by(int signal);

#endif
