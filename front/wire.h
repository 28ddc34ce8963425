/*
 * The messages of a front (PROTOCOL.md; internal/proto/wire has them all). A front builds a message
 * in a packet of its own and reads one in place: a text of a message lies in the packet that was
 * received, and is good until the next one.
 */

#ifndef DOCKERSH_WIRE_H
#define DOCKERSH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_VERSION 2 /* between front and broker */
#define AGENT_VERSION 2    /* the newest that a front knows; the oldest is 1 */

#define MAX_PACKET (192 << 10)
#define MAX_FDS 3
#define MAX_USER_FILE (64 << 10)
#define MAX_USER_PROBLEM 256
#define MAX_AUTH_INFO (16 << 10)
#define MAX_WORDS (4 << 10)
#define MAX_COOKIES (1 << 10)
#define NUM_LIMITS 16 /* of resources, in a Start */

enum kind {
	KIND_LOGIN = 1,
	KIND_PROGRESS = 2,
	KIND_READY = 3,
	KIND_HOST_SHELL = 4,
	KIND_ERROR = 5,
	KIND_WHY = 6,
	KIND_REASON = 7,
	KIND_HELLO = 8,
	KIND_START = 10,
	KIND_STARTED = 11,
	KIND_SIGNAL = 12,
	KIND_EXIT = 13,
	KIND_ENDED = 17,
	KIND_READ_FILE = 20,
	KIND_USER_FILE = 21,
};

/* Bytes of a message; a text has no NUL among them, but none behind it either. */
struct text {
	const char *at;
	size_t len;
};

/* A packet that is being built. A field that does not fit makes it too large, for good. */
struct packet {
	size_t len;
	int too_large;
	unsigned char at[MAX_PACKET];
};

void begin(struct packet *p, enum kind kind);
void put_number(struct packet *p, uint64_t n, size_t bytes);
void put_bytes(struct packet *p, const void *at, size_t len); /* a text, or bytes */
void put_string(struct packet *p, const char *s);

/*
 * A list or a text whose length is not known before: begin_counted returns the place of the length,
 * which end_counted sets. put_raw puts bytes between the two.
 */
size_t begin_counted(struct packet *p);
void put_raw(struct packet *p, const void *at, size_t len);
void end_counted(struct packet *p, size_t place, size_t count);

/* What is left of a packet that is being read. What is not there makes it bad, for good. */
struct reader {
	const unsigned char *at;
	size_t left;
	int bad;
};

uint64_t take_number(struct reader *r, size_t bytes);
int take_flag(struct reader *r);
struct text take_text(struct reader *r);

/* A list of texts is read twice: take_list checks it, and each take_text on items is one of them. */
struct list {
	uint32_t count;
	struct reader items;
};

struct list take_list(struct reader *r);

/* Messages to a front. */
struct ready {
	struct text shell, fallback, cwd;
	struct list accept, notice;
	struct text container;
	int ssh_agent, x11;
};

struct refusal { /* Error */
	struct text text, hint;
};

struct started {
	int terminal;
	struct text notice;
	int ssh_agent, x11, piped;
};

struct exit_message {
	uint32_t status; /* in the format of wait4(2) */
	int out_of_memory;
};

/* Each reads a packet behind its kind, and returns -1 if it is not such a message. */
int read_text(struct reader r, struct text *text); /* Progress, HostShell, Reason, ReadFile */
int read_ready(struct reader r, struct ready *m);
int read_refusal(struct reader r, struct refusal *m);
int read_hello(struct reader r, unsigned *version);
int read_started(struct reader r, struct started *m);
int read_exit(struct reader r, struct exit_message *m);

#endif
