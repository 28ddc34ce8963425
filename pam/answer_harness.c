/*
 * A program for tests (test/pam): "parse" reads packets from stdin, each after its length in four
 * bytes, and "receive" receives them from the socket that is descriptor 3. It prints a line for
 * each: the outcome, how many more descriptors are open than at first, and the reason.
 */
#define _GNU_SOURCE
#include "answer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int at_first;

static int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
print(const struct answer *a)
{
	printf("%d %d %s\n", (int)a->outcome, open_descriptors() - at_first, a->reason);
	fflush(stdout);
}

static void
parse_all(void)
{
	unsigned char head[4];
	struct answer a;

	while (fread(head, 1, 4, stdin) == 4) {
		uint32_t n = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
		unsigned char *packet = malloc(n + (n == 0)); /* exactly as long: what lies behind it is poisoned */
		if (packet == NULL || fread(packet, 1, n, stdin) != n)
			exit(2);
		parse_answer(packet, n, &a);
		print(&a);
		free(packet);
	}
}

static void
receive_all(void)
{
	struct answer a;

	for (;;) {
		if (receive_answer(3, &a) < 0) {
			struct pollfd p = { .fd = 3, .events = POLLIN };
			if (errno != EAGAIN || poll(&p, 1, 10000) != 1)
				exit(2);
			continue;
		}
		if (a.ns >= 0) {
			if (!(fcntl(a.ns, F_GETFD) & FD_CLOEXEC))
				exit(3);
			close(a.ns);
		}
		print(&a);
		if (strstr(a.reason, "closed the connection") != NULL)
			return;
	}
}

int
main(int argc, char **argv)
{
	at_first = open_descriptors();
	if (argc == 2 && strcmp(argv[1], "parse") == 0)
		parse_all();
	else if (argc == 2 && strcmp(argv[1], "receive") == 0)
		receive_all();
	else
		return 2;
	return 0;
}
