#define _GNU_SOURCE
#include "inherited.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define UNLIMITED (~(uint64_t)0)

void
put_inherited(struct packet *p)
{
	mode_t mask = umask(077);
	int nice;

	umask(mask);
	put_number(p, mask & 0777, 2);
	errno = 0;
	nice = getpriority(PRIO_PROCESS, 0);
	put_number(p, (uint64_t)(errno == 0 ? nice + 20 : 20), 1);
	for (int i = 0; i < NUM_LIMITS; i++) {
		struct rlimit l;
		int known = getrlimit(i, &l) == 0; /* a resource that the kernel does not have is unlimited */

		put_number(p, known && l.rlim_cur != RLIM_INFINITY ? l.rlim_cur : UNLIMITED, 8);
		put_number(p, known && l.rlim_max != RLIM_INFINITY ? l.rlim_max : UNLIMITED, 8);
	}
}
