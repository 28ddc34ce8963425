#define _GNU_SOURCE
#include "channel.h"
#include "clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for the descriptors of a message and one more: whoever sends more has broken the protocol. */
union control {
	struct cmsghdr align;
	char at[CMSG_SPACE((MAX_FDS + 1) * sizeof(int))];
};

/* Waits for an event, and returns -1 with errno at the end of the limit. */
static int
wait_within(const struct channel *c, short event)
{
	int n = wait_for(c->fd, event, c->until);

	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

int
send_packet(const struct channel *c, const struct packet *p, const int *fds, size_t num_fds)
{
	struct iovec data = { .iov_base = (void *)p->at, .iov_len = p->len };
	struct msghdr h = { .msg_iov = &data, .msg_iovlen = 1 };
	union control control;

	if (num_fds > 0) {
		struct cmsghdr *rights;

		memset(&control, 0, sizeof(control));
		h.msg_control = control.at;
		h.msg_controllen = (socklen_t)CMSG_SPACE(num_fds * sizeof(int));
		rights = CMSG_FIRSTHDR(&h);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = (socklen_t)CMSG_LEN(num_fds * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, num_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(c->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || wait_within(c, POLLOUT) < 0)
			return -1;
	}
}

int
receive(const struct channel *c, struct received *m)
{
	struct iovec data = { .iov_base = m->at, .iov_len = sizeof(m->at) };
	union control control;
	struct msghdr h;
	ssize_t n;

	for (;;) {
		if (wait_within(c, POLLIN) < 0)
			return -1;
		memset(&h, 0, sizeof(h));
		h.msg_iov = &data;
		h.msg_iovlen = 1;
		h.msg_control = control.at;
		h.msg_controllen = sizeof(control.at);
		n = recvmsg(c->fd, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n >= 0)
			break;
		if (errno != EINTR && errno != EAGAIN)
			return -1;
	}
	if (n == 0) { /* the end; a packet without bytes is none of the protocol either */
		errno = EPIPE;
		return -1;
	}
	m->num_fds = 0;
	for (struct cmsghdr *k = CMSG_FIRSTHDR(&h); k != NULL; k = CMSG_NXTHDR(&h, k)) {
		size_t num = (k->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (k->cmsg_level != SOL_SOCKET || k->cmsg_type != SCM_RIGHTS)
			continue;
		if (num > MAX_FDS) {
			errno = EBADMSG;
			return -1;
		}
		memcpy(m->fds, CMSG_DATA(k), num * sizeof(int)); /* the kernel sends one list of them */
		m->num_fds = num;
	}
	if (n > MAX_PACKET || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		errno = EBADMSG;
		return -1;
	}
	m->kind = m->at[0];
	m->body = (struct reader){ .at = m->at + 1, .left = (size_t)n - 1 };
	return 0;
}

int
is_gone(void)
{
	return errno == EPIPE || errno == ECONNRESET;
}
