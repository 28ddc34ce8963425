/*
 * pam_dockersh puts the sshd processes of a connection into the network of the user's container:
 * what sshd forwards is then the container's. See pam_dockersh(8) and docs/design/network.md.
 *
 * It decides nothing: it asks dockershd, as root, and gets a network namespace. Whatever goes
 * wrong ends in an empty namespace, never in the host's.
 */
#define _GNU_SOURCE
#include "answer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#ifndef SOCKET_PATH
#define SOCKET_PATH "/run/dockersh/dockershd.sock"
#endif
#ifndef FRONT_PATH
#define FRONT_PATH "/usr/local/bin/dockersh"
#endif

#define DATA_NAME "dockersh"
#define INFO_NAME "dockersh-auth-info"
#define AUTH_INFO "SSH_AUTH_INFO_0" /* how the user authenticated: sshd sets it before it opens the session */
#define LIMIT_MS 6000 /* for everything that is waited for */
#define MAX_USER 256
#define MAX_AUTH_INFO 16384

#define EXPORT __attribute__((visibility("default")))

/* What is kept from the opening of the session to its end. */
struct joined {
	int was;  /* the network namespace that sshd came from */
	int conn; /* to the broker, which takes its end for the connection's; -1: there is none */
};

static void
close_joined(struct joined *j)
{
	if (j->was >= 0)
		close(j->was);
	if (j->conn >= 0)
		close(j->conn);
	free(j);
}

static void
cleanup(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	close_joined(data);
}

/* Returns the milliseconds that are left until a time. */
static int
left(const struct timespec *end)
{
	struct timespec now;
	long long ms;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return 0;
	ms = (end->tv_sec - now.tv_sec) * 1000LL + (end->tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

/* Returns the rest of an argument such as user=alice, or NULL for another one. */
static const char *
value_of(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return strncmp(arg, name, n) == 0 ? arg + n : NULL;
}

/* Reports whether the module acts at an end of the session: "open" and "close" leave out the other. */
static int
acts_at(int argc, const char **argv, const char *end)
{
	int named = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], end) == 0)
			return 1;
		if (strcmp(argv[i], "open") == 0 || strcmp(argv[i], "close") == 0)
			named = 1;
	}
	return !named;
}

/*
 * Reports whether the user's connections are ours. A group that cannot be looked up may have the
 * user in it; root, who has to mend that, is left alone then.
 */
static int
is_ours(pam_handle_t *pamh, const struct passwd *pw, int argc, const char **argv)
{
	if (pw->pw_shell != NULL && strcmp(pw->pw_shell, FRONT_PATH) == 0)
		return 1;
	for (int i = 0; i < argc; i++) {
		const char *name = value_of(argv[i], "user=");
		if (name != NULL) {
			if (strcmp(name, pw->pw_name) == 0)
				return 1;
			continue;
		}
		name = value_of(argv[i], "group=");
		if (name == NULL) {
			if (strcmp(argv[i], "open") != 0 && strcmp(argv[i], "close") != 0)
				pam_syslog(pamh, LOG_ERR, "unknown argument %s", argv[i]);
			continue;
		}
		if (pam_modutil_user_in_group_nam_nam(pamh, pw->pw_name, name))
			return 1;
		if (pw->pw_uid != 0 && pam_modutil_getgrnam(pamh, name) == NULL) {
			pam_syslog(pamh, LOG_ERR, "the group %s cannot be looked up: taking %s for one of its members", name, pw->pw_name);
			return 1;
		}
	}
	return 0;
}

static unsigned char *
put_bytes(unsigned char *to, const char *from, size_t n)
{
	for (int i = 0; i < 4; i++)
		*to++ = (unsigned char)(n >> (8 * i));
	memcpy(to, from, n);
	return to + n;
}

/* Returns a socket that is connected to the broker, which must run as root; -1 with errno. */
static int
connect_broker(const struct timespec *end)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd;

	_Static_assert(sizeof(SOCKET_PATH) <= sizeof(addr.sun_path), "the path of the socket is too long");
	memcpy(addr.sun_path, SOCKET_PATH, sizeof(SOCKET_PATH));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || left(end) == 0) { /* EAGAIN: its queue is full */
			int err = errno;
			close(fd);
			errno = err;
			return -1;
		}
		poll(NULL, 0, 20);
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

/* Asks the broker what to join. Returns the connection, to be kept, or -1; *a is set always. */
static int
ask(const char *user, const char *info, struct answer *a)
{
	unsigned char packet[1 + 2 + 4 + MAX_USER + 4 + MAX_AUTH_INFO], *p = packet;
	size_t user_len = strlen(user), info_len = info != NULL ? strlen(info) : 0;
	struct timespec end;
	int fd;

	memset(a, 0, sizeof(*a));
	a->outcome = JOIN_NOTHING;
	a->ns = -1;
	if (user_len > MAX_USER || info_len > MAX_AUTH_INFO) {
		snprintf(a->reason, sizeof(a->reason), "the name of the user, or SSH_AUTH_INFO_0, is too long");
		return -1;
	}
	*p++ = KIND_JOIN;
	*p++ = PROTOCOL_VERSION & 0xff;
	*p++ = PROTOCOL_VERSION >> 8;
	p = put_bytes(p, user, user_len);
	p = put_bytes(p, info != NULL ? info : "", info_len);
	if (clock_gettime(CLOCK_MONOTONIC, &end) < 0) {
		snprintf(a->reason, sizeof(a->reason), "no clock");
		return -1;
	}
	end.tv_sec += LIMIT_MS / 1000;
	fd = connect_broker(&end);
	if (fd < 0) {
		snprintf(a->reason, sizeof(a->reason), "%s: %s", SOCKET_PATH, strerror(errno));
		return -1;
	}
	if (send(fd, packet, (size_t)(p - packet), MSG_NOSIGNAL | MSG_DONTWAIT) != p - packet) {
		snprintf(a->reason, sizeof(a->reason), "cannot send to the broker: %s", strerror(errno));
		close(fd);
		return -1;
	}
	while (receive_answer(fd, a) < 0) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int ms = left(&end);
		if (ms == 0) {
			snprintf(a->reason, sizeof(a->reason), "the broker did not answer in time");
			close(fd);
			return -1;
		}
		poll(&poller, 1, ms); /* whatever it returns: the next try shows */
	}
	return fd;
}

/* Enters the namespace that the broker sent. It must not be the one that sshd is in. */
static int
enter(int ns, int was)
{
	struct stat theirs, own;

	if (fstat(ns, &theirs) < 0 || fstat(was, &own) < 0)
		return -1;
	if (theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino) {
		errno = EINVAL;
		return -1;
	}
	return setns(ns, CLONE_NEWNET); /* refuses what is not a network namespace */
}

/* Enters an empty namespace, in which nothing but its own loopback can be reached. */
static int
enter_empty(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		if (ioctl(fd, SIOCGIFFLAGS, &lo) == 0) {
			lo.ifr_flags |= IFF_UP;
			(void)ioctl(fd, SIOCSIFFLAGS, &lo); /* only X11 needs it */
		}
		close(fd);
	}
	return 0;
}

static void
free_info(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

/* Keeps what sshd set, before other modules can change it: pam_env(8) reads a file in the home. */
static int
keep_info(pam_handle_t *pamh)
{
	const char *info = pam_getenv(pamh, AUTH_INFO);
	char *kept = strdup(info != NULL ? info : "");

	if (kept != NULL && pam_set_data(pamh, INFO_NAME, kept, free_info) == PAM_SUCCESS)
		return PAM_SUCCESS;
	free(kept);
	return PAM_SESSION_ERR;
}

/* Returns what keep_info kept; what is set now, where the module stands in the stack only once. */
static const char *
auth_info(pam_handle_t *pamh)
{
	const void *kept = NULL;

	if (pam_get_data(pamh, INFO_NAME, &kept) == PAM_SUCCESS && kept != NULL)
		return kept;
	return pam_getenv(pamh, AUTH_INFO);
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const char *user = NULL;
	const struct passwd *pw;
	const void *there = NULL;
	struct joined *j;
	struct answer a;

	(void)flags;
	if (!acts_at(argc, argv, "open"))
		return keep_info(pamh);
	if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL || (pw = pam_modutil_getpwnam(pamh, user)) == NULL) {
		pam_syslog(pamh, LOG_ERR, "the user cannot be looked up");
		return PAM_SESSION_ERR;
	}
	if (!is_ours(pamh, pw, argc, argv))
		return PAM_SUCCESS;
	if (pam_get_data(pamh, DATA_NAME, &there) == PAM_SUCCESS && there != NULL)
		return PAM_SUCCESS; /* it is in the stack twice */
	j = malloc(sizeof(*j));
	if (j == NULL)
		return PAM_SESSION_ERR;
	j->conn = -1;
	j->was = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (j->was < 0) {
		pam_syslog(pamh, LOG_ERR, "/proc/self/ns/net: %m");
		close_joined(j);
		return PAM_SESSION_ERR;
	}
	if (pam_set_data(pamh, DATA_NAME, j, cleanup) != PAM_SUCCESS) {
		close_joined(j);
		return PAM_SESSION_ERR;
	}
	j->conn = ask(pw->pw_name, auth_info(pamh), &a);
	if (a.outcome == JOIN_HOST)
		return PAM_SUCCESS;
	if (a.outcome == JOIN_NAMESPACE && enter(a.ns, j->was) < 0) {
		snprintf(a.reason, sizeof(a.reason), "cannot enter the network of the container: %s", strerror(errno));
		a.outcome = JOIN_NOTHING;
	}
	if (a.ns >= 0)
		close(a.ns);
	if (a.outcome == JOIN_NAMESPACE)
		return PAM_SUCCESS;
	pam_syslog(pamh, LOG_WARNING, "%s has no network: %s", pw->pw_name, a.reason);
	if (enter_empty() < 0) {
		pam_syslog(pamh, LOG_ERR, "unshare: %m");
		return PAM_SESSION_ERR;
	}
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *data;
	int result = PAM_SUCCESS;

	(void)flags;
	if (!acts_at(argc, argv, "close") || pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS || data == NULL)
		return PAM_SUCCESS;
	if (setns(((const struct joined *)data)->was, CLONE_NEWNET) < 0) {
		pam_syslog(pamh, LOG_ERR, "cannot go back to the network of the host: %m");
		result = PAM_SESSION_ERR;
	}
	pam_set_data(pamh, DATA_NAME, NULL, NULL); /* closes what was kept */
	return result;
}
