#define _GNU_SOURCE
#include "answer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More than a Joined can have, and room for more descriptors than one. */
#define MAX_PACKET 2048
#define MAX_FDS 8

static void
fail(struct answer *a, const char *why)
{
	a->outcome = JOIN_NOTHING;
	snprintf(a->reason, sizeof(a->reason), "%s", why);
}

/* Takes the string at *at: its length in four bytes, and its bytes. Returns -1 if it does not fit. */
static int
take_string(const unsigned char *packet, size_t len, size_t *at, char *to, size_t room)
{
	const unsigned char *p = packet + *at;
	uint32_t n;

	if (len - *at < 4)
		return -1;
	n = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	*at += 4;
	if (n > len - *at || n >= room)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		unsigned char c = packet[*at + i];
		if (c == 0)
			return -1;
		to[i] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	to[n] = 0;
	*at += n;
	return 0;
}

void
parse_answer(const unsigned char *packet, size_t len, struct answer *a)
{
	size_t at = 2;
	unsigned char kind = len > 0 ? packet[0] : 0;

	memset(a, 0, sizeof(*a));
	a->ns = -1;
	if (kind == KIND_ERROR) { /* code, text, hint */
		if (len < at || take_string(packet, len, &at, a->reason, sizeof(a->reason)) < 0)
			fail(a, "the broker refused without a reason");
		return;
	}
	if (kind != KIND_JOINED || len < at || packet[1] > JOIN_HOST ||
	    take_string(packet, len, &at, a->reason, sizeof(a->reason)) < 0 || at != len) {
		fail(a, "the broker's answer is not one of this protocol");
		return;
	}
	a->outcome = (enum outcome)packet[1];
}

/* Collects the descriptors of a message, of which the first MAX_FDS fit into fds. */
static int
collect(struct msghdr *msg, int *fds)
{
	int n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n < MAX_FDS)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

int
receive_answer(int fd, struct answer *a)
{
	unsigned char packet[MAX_PACKET];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = packet, .iov_len = sizeof(packet) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fds[MAX_FDS], n;
	ssize_t len;

	do
		len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		errno = EAGAIN;
		return -1;
	}
	n = len < 0 ? 0 : collect(&msg, fds);
	parse_answer(packet, len < 0 ? 0 : (size_t)len, a);
	if (len <= 0)
		fail(a, "the broker closed the connection");
	else if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		fail(a, "the broker's answer is too long");
	else if (a->outcome == JOIN_NAMESPACE && n != 1)
		fail(a, "the broker's answer does not have exactly one descriptor");
	if (a->outcome == JOIN_NAMESPACE)
		a->ns = fds[--n];
	while (n > 0)
		close(fds[--n]);
	return 0;
}
