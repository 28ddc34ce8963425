/* The environment of the login. No library reads it: it is taken away from the process at first. */

#ifndef DOCKERSH_ENVIRONMENT_H
#define DOCKERSH_ENVIRONMENT_H

#include "wire.h"

/* Takes the environment away, and keeps it for the functions below. */
void take_environment(void);

/* Returns the value of a variable, that of the first entry; NULL without one, or if it is empty. */
const char *get_variable(const char *name);

/*
 * Appends the session's environment, a list: the part of the client's that goes into the container,
 * which are the names that match a pattern in accept, and SSH_ORIGINAL_COMMAND unless that is NULL.
 */
void put_environment(struct packet *p, struct list accept, struct text shell, const char *original);

/* Becomes a shell on the host, with SHELL set to it. It returns with errno. */
void execute_with_environment(const char *shell, char *const argv[]);

#endif
