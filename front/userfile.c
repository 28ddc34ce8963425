#define _GNU_SOURCE
#include "userfile.h"
#include "clock.h"
#include "environment.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * How long a file may take that may lie on a server which does not answer. The broker decides
 * whether the login can do without it.
 */
#define LIMIT_MS 3000

/* What was read of a file: its bytes, or what is wrong with it; neither if there is none. */
struct contents {
	char problem[MAX_USER_PROBLEM];
	size_t len;
	unsigned char at[MAX_USER_FILE + 1];
};

static int
is_absent(int number)
{
	return number == ENOENT || number == ENOTDIR;
}

static void
unreadable(struct contents *c)
{
	snprintf(c->problem, sizeof(c->problem), "cannot be read: %s", error_text(errno));
}

/* Reads at most most bytes of an open file. */
static void
read_open(int fd, size_t most, struct contents *c)
{
	struct stat st;
	const char *problem = NULL;

	if (fstat(fd, &st) < 0) {
		unreadable(c);
		return;
	}
	if (!S_ISREG(st.st_mode))
		problem = "is not a regular file";
	else if (st.st_uid != geteuid())
		problem = "belongs to another user";
	else if (st.st_size > (off_t)most)
		problem = "is larger than 64 KiB";
	while (problem == NULL) {
		ssize_t n = read(fd, c->at + c->len, most + 1 - c->len);

		if (n < 0) {
			unreadable(c);
			return;
		}
		if (n == 0)
			return;
		c->len += (size_t)n;
		if (c->len > most)
			problem = "is larger than 64 KiB"; /* it has grown */
	}
	snprintf(c->problem, sizeof(c->problem), "%s", problem);
}

static void
read_file(const char *path, size_t most, struct contents *c)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	c->problem[0] = 0;
	c->len = 0;
	if (fd >= 0) {
		read_open(fd, most, c);
		close(fd);
	} else if (errno == ELOOP)
		snprintf(c->problem, sizeof(c->problem), "is a symbolic link");
	else if (!is_absent(errno))
		unreadable(c);
	if (c->problem[0] != 0)
		c->len = 0;
}

/*
 * Runs a function in a process of its own, whose output it returns, at most room bytes. Returns -1
 * with errno, ETIMEDOUT if it takes too long: then it is killed, or stays behind until its server
 * answers.
 */
static ssize_t
run_within(void (*f)(int out, const char *path), const char *path, void *to, size_t room)
{
	long long until = now_ms() + LIMIT_MS;
	size_t len = 0;
	ssize_t n = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		/* It must not keep open what somebody waits for the end of. */
		if (dup2(ends[1], 0) == 0 && syscall(SYS_close_range, 1U, ~0U, 0U) < 0)
			for (int fd = 1; fd < 4096; fd++)
				close(fd);
		f(0, path);
		_exit(0);
	}
	close(ends[1]);
	while (pid > 0 && len <= room) {
		int ready = wait_for(ends[0], POLLIN, until);

		n = ready > 0 ? read(ends[0], (char *)to + len, room - len) : -1;
		if (ready == 0)
			errno = ETIMEDOUT;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (pid > 0 && n < 0)
		kill(pid, SIGKILL);
	else if (pid > 0)
		waitpid(pid, NULL, 0); /* it has closed its end, so it is about to be gone */
	close(ends[0]);
	return n < 0 ? -1 : (ssize_t)len;
}

static void
send_contents(int out, const char *path)
{
	static struct contents c;
	const char *at = c.problem;
	size_t left;

	read_file(path, MAX_USER_FILE, &c);
	left = offsetof(struct contents, at) + c.len;
	while (left > 0) {
		ssize_t n = write(out, at, left);

		if (n <= 0)
			return;
		at += n;
		left -= (size_t)n;
	}
}

/* Is read_file with a limit. */
static void
read_file_within(const char *path, struct contents *c)
{
	ssize_t n = run_within(send_contents, path, c, sizeof(*c));

	if (n >= (ssize_t)offsetof(struct contents, at))
		return;
	c->len = 0;
	if (n < 0 && errno != ETIMEDOUT)
		unreadable(c);
	else
		snprintf(c->problem, sizeof(c->problem), "does not answer");
}

/*
 * Reports whether the kernel knows without a look at any disk or server that there is no such file
 * (RESOLVE_CACHED in openat2(2), Linux 5.12). It never blocks, and spares most logins a process.
 */
static int
is_known_absent(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = 0x20 /* RESOLVE_CACHED */ };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd >= 0)
		close(fd);
	return fd < 0 && is_absent(errno);
}

void
put_user_file(struct packet *p, const char *home)
{
	static struct contents c;
	char path[PATH_MAX + 1];

	c.problem[0] = 0;
	c.len = 0;
	if (home != NULL && *home != 0) {
		snprintf(path, sizeof(path), "%s/.dockersh", home); /* what is too long for that, open(2) refuses */
		if (!is_known_absent(path))
			read_file_within(path, &c);
	}
	put_bytes(p, c.at, c.len);
	put_string(p, c.problem);
}

void
put_auth_info(struct packet *p)
{
	static const char begins[] = "/tmp/sshauth."; /* as sshd names it (ExposeAuthInfo in sshd_config(5)) */
	static struct contents c;
	const char *path = get_variable("SSH_USER_AUTH");

	if (path != NULL && strncmp(path, begins, strlen(begins)) == 0 && path[strlen(begins)] != 0 &&
	    strchr(path + strlen(begins), '/') == NULL)
		read_file(path, MAX_AUTH_INFO, &c); /* the broker reports it missing where it is needed */
	put_bytes(p, c.at, c.len);
}

size_t
read_xauthority(const char *path, unsigned char *to, size_t room)
{
	static struct contents c;

	read_file_within(path, &c);
	if (c.len > room)
		c.len = room;
	memcpy(to, c.at, c.len);
	return c.len;
}

static void
send_is_own_socket(int out, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid())
		(void)!write(out, "", 1);
}

int
is_own_socket(const char *path)
{
	char answer;

	return run_within(send_is_own_socket, path, &answer, 1) == 1;
}
