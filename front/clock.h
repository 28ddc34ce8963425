/* Time, and descriptors that something is waited for at. Both are in milliseconds. */

#ifndef DOCKERSH_CLOCK_H
#define DOCKERSH_CLOCK_H

#include <poll.h>

/* A time that never comes. */
#define NEVER (-1LL)

/* Returns the time since some moment in the past. */
long long now_ms(void);

/*
 * Waits for an event at a descriptor until a time, and repeats what a signal interrupts. Returns 1,
 * or 0 at that time, or -1 with errno.
 */
int wait_for(int fd, short event, long long until);

#endif
