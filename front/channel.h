/* Messages over a packet socket, with their descriptors. */

#ifndef DOCKERSH_CHANNEL_H
#define DOCKERSH_CHANNEL_H

#include "wire.h"

struct channel {
	int fd;          /* does not block */
	long long until; /* when sending and receiving fail with ETIMEDOUT; may be NEVER */
};

/* A packet that was received. */
struct received {
	int kind;
	struct reader body; /* behind the kind */
	int fds[MAX_FDS];   /* close-on-exec */
	size_t num_fds;
	unsigned char at[MAX_PACKET + 1];
};

/* Sends a packet with descriptors, which stay open here. Returns -1 with errno. */
int send_packet(const struct channel *c, const struct packet *p, const int *fds, size_t num_fds);

/*
 * Receives a packet. Returns -1 with errno: what is_gone knows, ETIMEDOUT, EBADMSG for what is not
 * a packet of the protocol.
 */
int receive(const struct channel *c, struct received *m);

/* Reports whether errno means that the peer closed the connection or ended. */
int is_gone(void);

#endif
