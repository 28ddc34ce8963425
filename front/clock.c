#define _GNU_SOURCE
#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int
wait_for(int fd, short event, long long until)
{
	struct pollfd p = { .fd = fd, .events = event };

	for (;;) {
		long long left = -1;
		int n;

		if (until != NEVER) {
			left = until - now_ms();
			if (left <= 0)
				return 0;
		}
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}
