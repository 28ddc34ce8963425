#define _GNU_SOURCE
#include "sshagent.h"
#include "environment.h"
#include "userfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64  /* that are carried at a time; more wait in the container */
#define BUFFER (4 << 10)    /* of each direction; messages of an ssh agent are short */
#define CONNECT_SECONDS 5   /* how long sshd may take to accept a connection */
#define MAX_DEPTH 16        /* of processes between sshd and this one */
#define PAUSE_MS 100        /* until another connection ends, where there is no place for one more */

static pid_t parent; /* of the front */

const char *
ssh_agent_path(void)
{
	const char *path = get_variable("SSH_AUTH_SOCK");

	if (path == NULL || *path != '/' || get_variable("SSH_CONNECTION") == NULL || !is_own_socket(path))
		return NULL;
	return path;
}

int
is_listener(int fd)
{
	static const int want[][2] = { { SO_DOMAIN, AF_UNIX }, { SO_TYPE, SOCK_STREAM }, { SO_ACCEPTCONN, 1 } };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		int got;
		socklen_t len = sizeof(got);

		if (getsockopt(fd, SOL_SOCKET, want[i][0], &got, &len) < 0 || got != want[i][1])
			return 0;
	}
	return 1;
}

/* Returns the parent of a process, or 0. */
static pid_t
parent_of(pid_t pid)
{
	char path[64], text[1024], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	end = strrchr(text, ')'); /* the name before it may contain anything */
	return end == NULL || strlen(end) < 4 ? 0 : atoi(end + 4);
}

/*
 * Reports whether the process that listens at the other end is one that the front descends from. It
 * begins with the front's parent: the front itself may be hidden (hidepid in proc(5)) where it was
 * installed setuid root.
 */
static int
is_of_ancestor(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	pid_t pid = parent;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return 0;
	for (int depth = 0; pid > 1 && depth <= MAX_DEPTH; depth++) {
		if (pid == peer.pid)
			return 1;
		pid = parent_of(pid);
	}
	return 0;
}

/*
 * Returns a socket that is connected to sshd's, or -1. The environment that names it may come from
 * a file in the home (pam_env(8)), and the user has other sockets on the host: by that of systemd
 * or D-Bus, the container could start programs there.
 */
static int
connect_sshd(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(at.sun_path))
		return -1;
	strcpy(at.sun_path, path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || !is_of_ancestor(fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One direction of a connection. One buffer is in flight, so that a slow reader slows the writer. */
struct direction {
	int from, to, done;
	size_t at, left;
	char buffer[BUFFER];
};

/* Reads or writes once. Where nothing follows or nobody reads, it passes that end on. */
static void
step(struct direction *d)
{
	ssize_t n;

	if (d->left > 0)
		n = send(d->to, d->buffer + d->at, d->left, MSG_NOSIGNAL);
	else
		n = read(d->from, d->buffer, sizeof(d->buffer));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		d->done = 1;
		shutdown(d->to, SHUT_WR);
		shutdown(d->from, SHUT_RD);
	} else if (d->left > 0) {
		d->at += (size_t)n;
		d->left -= (size_t)n;
	} else {
		d->at = 0;
		d->left = (size_t)n;
	}
}

/* Copies bytes between two connections until both directions have ended. */
static void
carry(int inside, int outside)
{
	static struct direction d[2];

	d[0] = (struct direction){ .from = inside, .to = outside };
	d[1] = (struct direction){ .from = outside, .to = inside };
	while (!d[0].done || !d[1].done) {
		struct pollfd fds[2];

		for (int i = 0; i < 2; i++) {
			fds[i] = (struct pollfd){ .fd = d[i].left > 0 ? d[i].to : d[i].from, .events = d[i].left > 0 ? POLLOUT : POLLIN };
			if (d[i].done)
				fds[i].fd = -1;
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents != 0)
				step(&d[i]);
	}
}

/* Returns a process that ends with this one, as fork(2) does. */
static pid_t
fork_bound(void)
{
	pid_t self = getpid(), pid = fork();

	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self))
		_exit(0);
	return pid;
}

/* Waits for a connection. Returns -1 when the listener fails or is shut down. */
static int
accept_connection(int listener)
{
	for (;;) {
		struct pollfd ready = { .fd = listener, .events = POLLIN | POLLRDHUP };
		int fd;

		/* Whether the socket blocks is up to the container at any moment, so accept4(2) may wait too. */
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			return -1;
		if (ready.revents == 0)
			continue;
		if (ready.revents != POLLIN) /* shut down: always ready, but accept4(2) fails with EAGAIN */
			return -1;
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			poll(NULL, 0, PAUSE_MS);
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			return -1;
	}
}

/*
 * Accepts connections, and carries each to sshd's socket in a process of its own: nothing else waits
 * for it.
 */
static void
serve(int listener, const char *path)
{
	int carried = 0;

	for (;;) {
		int inside = accept_connection(listener);
		pid_t pid;

		if (inside < 0)
			return;
		while (carried > 0 && waitpid(-1, NULL, carried < MAX_CONNECTIONS ? WNOHANG : 0) > 0)
			carried--;
		pid = fork_bound();
		if (pid == 0) {
			int outside = connect_sshd(path);

			if (outside >= 0)
				carry(inside, outside);
			_exit(0);
		}
		carried += pid > 0;
		close(inside);
	}
}

void
serve_ssh_agent(int listener, const char *path)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 }; /* they are for the front */

	parent = getppid();
	if (fork_bound() == 0) {
		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
			signal(ignored[i], SIG_IGN);
		/* They must not keep open what somebody waits for the end of. */
		if (dup2(listener, 0) != 0)
			_exit(1);
		if (syscall(SYS_close_range, 1U, ~0U, 0U) < 0)
			for (int fd = 1; fd < 4096; fd++)
				close(fd);
		signal(SIGCHLD, SIG_DFL);
		serve(0, path);
		_exit(0);
	}
	close(listener);
}
