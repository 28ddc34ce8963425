#define _GNU_SOURCE
#include "discard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLAMPS 0x60             /* SCHED_FLAG_UTIL_CLAMP_MIN and _MAX */
#define NO_CLAMP (~(uint32_t)0) /* Linux 5.11 */

#define CGROUPS "/sys/fs/cgroup" /* where the hierarchies of cgroups are mounted */

/* Writes to a file that is there. */
static int
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -1;
	err = write(fd, text, strlen(text)) < 0 ? errno : 0;
	close(fd);
	errno = err;
	return err == 0 ? 0 : -1;
}

static int
only_root_controls(const char *cgroup)
{
	struct stat st;

	return lstat(cgroup, &st) == 0 && st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/*
 * Moves this process to cgroup or, if that takes none, to the next above it that does, up to the one
 * whose path is root characters long: one of version 2 takes no processes if it has controllers for
 * those below it, unless it is the outermost.
 */
static int
move_to(char *cgroup, size_t root)
{
	char procs[PATH_MAX + sizeof("/cgroup.procs")];

	for (;;) {
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
		if (write_file(procs, "0") == 0)
			return 0;
		if (strlen(cgroup) <= root)
			return errno == ENOENT ? 0 : -1; /* the hierarchy is not mounted: users cannot reach it either */
		*strrchr(cgroup, '/') = 0;
	}
}

/* Moves this process to the innermost cgroup on the way to its own, path, that only root controls. */
static int
leave_cgroup(const char *hierarchy, char *path)
{
	char at[PATH_MAX], *save = NULL;
	size_t root = strlen(hierarchy), end = root;

	if (root + 1 + strlen(path) >= sizeof(at)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at, hierarchy);
	for (char *name = strtok_r(path, "/", &save); name != NULL; name = strtok_r(NULL, "/", &save)) {
		size_t longer = end + 1 + strlen(name);

		at[end] = '/';
		strcpy(at + end + 1, name);
		if (!only_root_controls(at)) {
			at[end] = 0;
			return move_to(at, root);
		}
		end = longer;
	}
	return 0;
}

/* Sets at to where the hierarchy of controllers is mounted; that of version 2 has none. */
static void
find_hierarchy(const char *controllers, char at[PATH_MAX])
{
	struct statfs fs;

	if (controllers[0] == 0)
		snprintf(at, PATH_MAX, CGROUPS "%s", statfs(CGROUPS, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC ? "" : "/unified");
	else
		snprintf(at, PATH_MAX, CGROUPS "/%s", controllers + (strncmp(controllers, "name=", 5) == 0 ? 5 : 0));
}

/*
 * Moves this process out of all cgroups that users control, such as those that systemd gives to each
 * user below user@UID.service. There they could freeze it, or take its processor and memory away,
 * while it holds locks that others need (cgroups(7)).
 */
static int
leave_cgroups(void)
{
	static char line[2 * PATH_MAX];
	char hierarchy[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "re");
	int err = f == NULL ? errno : 0;

	while (err == 0 && fgets(line, sizeof(line), f) != NULL) {
		char *controllers = strchr(line, ':'), *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');

		if (path == NULL || strchr(path, '\n') == NULL) {
			err = ENAMETOOLONG;
			break;
		}
		*path++ = 0;
		*strchr(path, '\n') = 0;
		find_hierarchy(controllers + 1, hierarchy);
		if (leave_cgroup(hierarchy, path) < 0)
			err = errno;
	}
	if (err == 0 && ferror(f))
		err = errno; /* the kernel does not name a cgroup whose path is longer than PATH_MAX */
	if (f != NULL)
		fclose(f);
	errno = err;
	return err == 0 ? 0 : -1;
}

static void
reset_limits(void)
{
	static const struct {
		int resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_FSIZE, RLIM_INFINITY }, { RLIMIT_CPU, RLIM_INFINITY }, { RLIMIT_AS, RLIM_INFINITY },
		{ RLIMIT_DATA, RLIM_INFINITY }, { RLIMIT_NPROC, RLIM_INFINITY }, { RLIMIT_SIGPENDING, RLIM_INFINITY },
		{ RLIMIT_MEMLOCK, 8 << 20 }, { RLIMIT_STACK, 8 << 20 }, { RLIMIT_NOFILE, 1 << 16 },
		{ RLIMIT_CORE, 0 }, /* a core file would show root's memory */
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit l = { limits[i].most, limits[i].most };

		if (setrlimit(limits[i].resource, &l) == 0 || getrlimit(limits[i].resource, &l) < 0)
			continue;
		l.rlim_cur = l.rlim_max; /* as far as we may */
		setrlimit(limits[i].resource, &l);
	}
	write_file("/proc/self/oom_score_adj", "0");
}

/* Blocks and ignores no signal, also none of those that the C library keeps for itself. */
static void
reset_signals(void)
{
	/* The kernel's, of which SIG_DFL is 0: sigset_t and struct sigaction of a C library are larger. */
	static const unsigned long none[8];

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, 8);
	for (int sig = 1; sig <= 64; sig++)
		syscall(SYS_rt_sigaction, sig, none, NULL, 8);
}

/* A process that is slow while it holds a lock delays others. */
static void
reset_scheduling(void)
{
	struct { /* struct sched_attr of sched_setattr(2), which not every C library has */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t slice, deadline, period;
		uint32_t least, most; /* of the utilization that sets the processor's frequency */
	} usual = { .size = sizeof(usual), .policy = SCHED_OTHER, .flags = CLAMPS, .least = NO_CLAMP, .most = NO_CLAMP };

	if (syscall(SYS_sched_setattr, 0, &usual, 0) < 0) {
		usual.flags = 0; /* this kernel has no clamps */
		syscall(SYS_sched_setattr, 0, &usual, 0);
	}
	syscall(SYS_ioprio_set, 1, 0, 0); /* this thread, no class: that of its nice value */
	prctl(PR_SET_TIMERSLACK, 50000UL); /* ns */
}

/* Takes the processors of init, which the administrator may have set. */
static void
reset_processors(void)
{
	static unsigned char of_init[1024]; /* a bit for each processor */
	long size = syscall(SYS_sched_getaffinity, 1, sizeof(of_init), of_init);

	if (size > 0)
		syscall(SYS_sched_setaffinity, 0, size, of_init);
}

int
discard_inherited(void)
{
	reset_limits();
	reset_signals();
	reset_scheduling(); /* some cgroups take no process of a real-time policy */
	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);
	personality(0);
	if (leave_cgroups() < 0)
		return -1;
	reset_processors(); /* of which a cgroup of the user's may have fewer */
	return 0;
}
