#define _GNU_SOURCE
#include "door.h"
#include "discard.h"
#include "message.h"
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BAD_INSTALL "dockersh is not installed correctly: "

static void start_failed(void) __attribute__((noreturn));

static void
start_failed(void)
{
	fail("end some of your processes, or " HINT_DOCTOR, "cannot start the dockersh service: %s", error_text(errno));
}

int
is_setuid(void)
{
	return getuid() != geteuid() || getgid() != getegid();
}

/* Ends the program unless only root can change the directories on the way to a path. */
static void
check_way(const char *path)
{
	char dir[PATH_MAX];
	struct stat st;

	strncpy(dir, path, sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = 0;
	for (;;) {
		char *slash = strrchr(dir, '/');

		if (slash == NULL)
			return;
		slash[slash == dir] = 0;
		if (stat(dir, &st) < 0)
			fail(HINT_DOCTOR, BAD_INSTALL "%s: %s", dir, error_text(errno));
		if (st.st_uid != 0)
			fail(HINT_DOCTOR, BAD_INSTALL "%s does not belong to root", dir);
		if (st.st_mode & S_IWOTH) /* not the group: Debian's /usr/local is writable for its group staff */
			fail(HINT_DOCTOR, BAD_INSTALL "%s can be written by others than root", dir);
		if (dir[1] == 0)
			return;
	}
}

/* Ends the program unless only root can have put the broker's program there and changed it. */
static void
check_program(const char *path)
{
	char program[PATH_MAX];
	struct stat st;

	if (realpath(path, program) == NULL || lstat(program, &st) < 0) {
		if (errno == ENOENT)
			fail(HINT_DOCTOR, "the dockersh service is not installed: there is no %s", path);
		fail(HINT_DOCTOR, BAD_INSTALL "%s: %s", path, error_text(errno));
	}
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		fail(HINT_DOCTOR, BAD_INSTALL "%s is not a program", program);
	if (st.st_uid != 0)
		fail(HINT_DOCTOR, BAD_INSTALL "%s does not belong to root", program);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		fail(HINT_DOCTOR, BAD_INSTALL "%s can be written by others than root", program);
	check_way(path);
	check_way(program);
}

/* Makes all descriptors from 3 on close-on-exec: the broker must not inherit what this was started with. */
static void
keep_descriptors(void)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int fd = 3; fd < 4096; fd++) /* Linux before 5.11, or a seccomp profile without the call */
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/*
 * Makes connected sockets whose peer is uid to the kernel (SO_PEERCRED). However a broker was
 * started, it learns the user from the kernel alone.
 */
static int
make_sockets(uid_t uid, int pair[2])
{
	uid_t was = geteuid();
	int made;

	if (seteuid(uid) < 0)
		return -1;
	made = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	return seteuid(was) < 0 ? -1 : made;
}

/* What failed of a process that was to become the broker; errno has the reason. */
enum failed { NOTHING, TO_START, TO_LEAVE_CGROUP };

/* Becomes the broker, as root or as the user. It returns only if it failed. */
static enum failed
become_broker(int socket, int null, int as_root)
{
	/* It does one thing after the other; threads for more would only delay its start. */
	char *const argv[] = { SESSION_PROGRAM, NULL }, *const env[] = { "GOMAXPROCS=1", NULL };

	if (setsid() < 0 || chdir("/") < 0) /* out of the reach of the terminal's signals */
		return TO_START;
	if (as_root && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return TO_START;
	if (geteuid() == 0 && discard_inherited() < 0)
		return TO_LEAVE_CGROUP;
	if (dup2(socket, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return TO_START;
	execve(SESSION_PROGRAM, argv, env);
	return TO_START;
}

static int
start_broker(uid_t uid, int as_root)
{
	int pair[2], null;
	/* Of the child, which has this memory until it becomes the broker. */
	volatile enum failed failed = NOTHING;
	volatile int err = 0;
	pid_t pid;

	keep_descriptors();
	check_program(SESSION_PROGRAM);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || make_sockets(uid, pair) < 0)
		start_failed();
	pid = vfork();
	if (pid == 0) {
		failed = become_broker(pair[1], null, as_root);
		err = errno;
		_exit(EXIT_OURS);
	}
	if (pid > 0)
		errno = err;
	if (failed == TO_LEAVE_CGROUP)
		fail(HINT_DOCTOR, "cannot move the dockersh service out of a cgroup that is yours: %s", error_text(errno));
	if (pid < 0 || failed != NOTHING)
		start_failed();
	close(pair[1]);
	close(null);
	return pair[0];
}

/* Sets all ids to uid, for good, and proves it by trying to undo it (setresuid(2), capabilities(7)). */
static int
give_up_root(uid_t uid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[2];
	uid_t real, effective, saved;

	if (setresuid(uid, uid, uid) < 0 || getresuid(&real, &effective, &saved) < 0)
		return -1;
	if (real != uid || effective != uid || saved != uid)
		return -1;
	if (uid == 0)
		return 0;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0)
		return -1;
	if (syscall(SYS_capget, &header, have) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		if (have[i].effective | have[i].permitted | have[i].inheritable)
			return -1;
	return 0;
}

int
start_broker_as_root(void)
{
	uid_t uid = getuid();
	int fd;

	if (geteuid() != 0 || getgid() != getegid())
		fail(HINT_DOCTOR, BAD_INSTALL "dockersh may be setuid root, and nothing else");
	fd = start_broker(uid, 1);
	errno = 0;
	if (give_up_root(uid) < 0) {
		if (errno == EAGAIN) /* at a limit of the user */
			start_failed();
		fail(HINT_DOCTOR, BAD_INSTALL "dockersh cannot give up the rights of root");
	}
	return fd;
}

int
start_broker_as_user(void)
{
	return start_broker(getuid(), 0);
}

int
service_never_ran(void)
{
	return getuid() == 0 || (access(LOCK_PATH, F_OK) < 0 && errno == ENOENT);
}
