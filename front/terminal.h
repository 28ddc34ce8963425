/* The user's terminal, and the pty of the session in the container. */

#ifndef DOCKERSH_TERMINAL_H
#define DOCKERSH_TERMINAL_H

#include <asm/termbits.h>

/*
 * Modes in the form in which they go into a Start. TCGETS and TCSETS leave out the speeds at the
 * end, which are 0.
 */
typedef struct termios2 modes;

int is_terminal(int fd);

/* Reads the modes, or returns -1 with errno. */
int get_modes(int fd, modes *m);

/*
 * Sets the modes. It does not wait for output to drain: a client that has stopped reading would
 * block it forever.
 */
int set_modes(int fd, const modes *m);

/* Returns modes for bytes that pass unchanged both ways, are not echoed, and send no signals. */
modes raw_modes(modes m);

struct size {
	unsigned short rows, cols;
};

/* Returns the size in characters; 0 and 0 for a terminal that has no size. */
struct size get_size(int fd);

void set_size(int fd, struct size s);

/* Reports whether fd is the master of a pty. */
int is_master(int fd);

#endif
