/* Copies bytes in one direction. */

#ifndef DOCKERSH_RELAY_H
#define DOCKERSH_RELAY_H

#include <poll.h>
#include <stddef.h>

/* What the kernel keeps of a pty's output. */
#define RELAY_BUFFER (64 << 10)

/* At most one buffer is in flight, so that a slow reader slows the writer. */
struct relay {
	int from, to;
	int input;              /* towards the container: not to be drained at the end */
	int pipe;               /* the session's side is a pipe that we made, to be closed at the end */
	void (*received)(void); /* called with input that was read and is not passed on yet; may be NULL */
	int done;
	int flood;              /* more output of a terminal is on its way */
	long long read_at;      /* when output was read last (now_ms) */
	size_t at, left;        /* the part of buffer that is still to be written */
	char buffer[RELAY_BUFFER];
};

/* Returns what the relay waits for. */
struct pollfd relay_waits_for(const struct relay *r);

/*
 * Is called with the events that poll(2) reports for the relay. It reads once, since input may come
 * from an open file that blocks, and writes what it can.
 */
void run_relay(struct relay *r, short events);

/*
 * Reports whether the output should gather before the next read: read at once, it comes line by
 * line, and each line wakes the front and sshd.
 */
int gathers(const struct relay *r);

/*
 * Copies what the session had written when it ended. Processes that it left behind may go on
 * writing, which is not copied. It ends early once parent, a pidfd or -1, is ready.
 */
void drain_relay(struct relay *r, int parent);

#endif
