#define _GNU_SOURCE
#include "relay.h"
#include "clock.h"

#include <errno.h>
#include <unistd.h>

/* A read so soon after the one before means that more is on its way. */
#define FLOOD_MS 1

/* More than a pty or a pipe holds (pipe-max-size is 1 MiB). */
#define MAX_BUFFERED (2 << 20)

struct pollfd
relay_waits_for(const struct relay *r)
{
	if (r->left > 0)
		return (struct pollfd){ .fd = r->to, .events = POLLOUT };
	return (struct pollfd){ .fd = r->from, .events = POLLIN };
}

/* Stops the relay. Closing the session's side of a pipe is the end of its input, or breaks its output. */
static void
finish(struct relay *r)
{
	r->done = 1;
	r->left = 0;
	if (r->pipe)
		close(r->input ? r->to : r->from);
}

static ssize_t
read_again(int fd, char *to, size_t room)
{
	ssize_t n;

	do
		n = read(fd, to, room);
	while (n < 0 && errno == EINTR);
	return n;
}

/*
 * Fills the buffer as far as there is something to read; a pty returns a page at a time. Returns -1
 * if nothing follows.
 */
static ssize_t
fill(struct relay *r)
{
	size_t len = 0;

	while (len < sizeof(r->buffer)) {
		ssize_t n = read_again(r->from, r->buffer + len, sizeof(r->buffer) - len);

		if (n <= 0 && len == 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		if (n <= 0) /* the next read returns it again */
			break;
		len += (size_t)n;
		if (r->input) /* once: it may block */
			break;
	}
	return (ssize_t)len;
}

/* Reads or writes once, and reports whether there was anything to do. */
static int
step(struct relay *r)
{
	ssize_t n;

	if (r->left > 0) {
		n = write(r->to, r->buffer + r->at, r->left);
		if (n < 0 && errno == EINTR)
			return 1;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			finish(r);
			return 1;
		}
		r->at += (size_t)n;
		r->left -= (size_t)n;
		return n > 0;
	}
	n = fill(r);
	if (n < 0) {
		finish(r);
		return 1;
	}
	if (n > 0 && r->received != NULL)
		r->received();
	if (!r->input && !r->pipe) {
		long long now = now_ms();

		r->flood = now - r->read_at <= FLOOD_MS;
		r->read_at = now;
	}
	r->at = 0;
	r->left = (size_t)n;
	return n > 0;
}

void
run_relay(struct relay *r, short events)
{
	if (r->left == 0)
		step(r);
	else if (r->input && !r->pipe && (events & POLLHUP))
		r->left = 0; /* nobody has the session's terminal: its master is always ready, but takes no more */
	while (r->left > 0 && step(r))
		;
}

int
gathers(const struct relay *r)
{
	return r->flood && r->left == 0;
}

void
drain_relay(struct relay *r, int parent)
{
	size_t copied = 0;

	while (!r->done && copied < MAX_BUFFERED) {
		int writing = r->left > 0;

		if (step(r)) {
			if (!writing)
				copied += r->left;
			continue;
		}
		if (!writing)
			break; /* nothing more to read */
		struct pollfd fds[2] = { relay_waits_for(r), { .fd = parent, .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents != 0)
			break;
	}
}
