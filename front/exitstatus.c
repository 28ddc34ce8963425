#define _GNU_SOURCE
#include "exitstatus.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_SIGNAL 64 /* the last real-time signal */

/* Reports whether a process only stops by a signal. */
static int
is_stop(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

int
split_status(uint32_t status, int *signal)
{
	int by = (int)(status & 0x7f);

	*signal = 0;
	if (by == 0)
		return (int)(status >> 8 & 0xff);
	*signal = by > MAX_SIGNAL || is_stop(by) ? SIGKILL : by;
	return 0;
}

void
die_by(int signal)
{
	struct rlimit none = { 0, 0 };
	/*
	 * The C library keeps two real-time signals to itself, and changes nothing of them. The zeros are
	 * the kernel's struct sigaction, with SIG_DFL, on every architecture.
	 */
	static const char by_default[64];
	uint64_t set = (uint64_t)1 << (signal - 1);

	setrlimit(RLIMIT_CORE, &none); /* a core file of this program helps nobody, and would be in the user's home */
	syscall(SYS_rt_sigaction, signal, by_default, NULL, sizeof(set));
	kill(getpid(), signal);
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof(set));
}
