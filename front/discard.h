/* Takes back what a process of root inherited from the user who started it. */

#ifndef DOCKERSH_DISCARD_H
#define DOCKERSH_DISCARD_H

/*
 * Makes this process one like those that init starts: it undoes what a user can set that survives
 * execve(2) and would stop, delay or expose a process of root. Everything but the cgroup is undone
 * as far as this process may; root in a container may lack the right to. It returns -1 and errno if
 * it is in a cgroup of the user's and cannot leave it.
 */
int discard_inherited(void);

#endif
