/* The broker's answer to the module (PROTOCOL.md): one packet, with at most one descriptor. */

#ifndef DOCKERSH_ANSWER_H
#define DOCKERSH_ANSWER_H

#include <stddef.h>

#define PROTOCOL_VERSION 2
#define KIND_ERROR 5
#define KIND_JOIN 18
#define KIND_JOINED 19
#define MAX_REASON 512

/* What a connection joins. */
enum outcome { JOIN_NOTHING = 0, JOIN_NAMESPACE = 1, JOIN_HOST = 2 };

struct answer {
	enum outcome outcome;
	int ns;                       /* with JOIN_NAMESPACE; the caller closes it; else -1 */
	char reason[MAX_REASON + 1];  /* for the log; without control characters */
};

/* Parses one packet. Whatever is not an answer is JOIN_NOTHING, with the reason. */
void parse_answer(const unsigned char *packet, size_t len, struct answer *a);

/*
 * Receives one packet from a socket that does not block. Descriptors that do not belong to the
 * answer are closed, and all are close-on-exec. Returns -1 with EAGAIN where nothing came yet.
 */
int receive_answer(int fd, struct answer *a);

#endif
