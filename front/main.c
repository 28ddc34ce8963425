/*
 * dockersh is the login shell. It runs as the user, trusts nothing but the broker and decides
 * nothing: it asks the broker for a container, starts the session there, and carries it to its end.
 *
 * It is in C because it starts for each session: with the front in Go, the start of Go's runtime was
 * nearly half of a warm login (docs/performance.md).
 */
#define _GNU_SOURCE
#include "arguments.h"
#include "door.h"
#include "environment.h"
#include "login.h"
#include "message.h"
#include "session.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "unknown"
#endif

/* Opens what is closed of stdin, stdout and stderr: else a socket would take its place. */
static void
open_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_OURS);
}

/* Becomes a shell on the host, which the settings name. */
static void
become_host_shell(const struct grant *g, const struct request *r)
{
	char **argv = make_argv(r, g->host_shell);

	if (argv != NULL)
		execute_with_environment(g->host_shell, argv);
	fail(HINT_CHECK, "cannot run the host shell %s: %s", g->host_shell, error_text(errno));
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, was;
	int broker = NOT_CONNECTED, terminal, sshd;
	struct request r;
	struct grant g;

	open_standard_descriptors();
	take_environment();
	if (is_setuid())
		broker = start_broker_as_root();
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		static const char version[] = "dockersh " VERSION "\n";

		return write(STDOUT_FILENO, version, sizeof(version) - 1) < 0;
	}
	r = parse_arguments(argv);
	if (r.nothing)
		return 0;
	sigaction(SIGPIPE, &ignore, &was);
	terminal = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
	sshd = open_sshd();
	g = login(&r, terminal, broker);
	if (g.host_shell != NULL) {
		sigaction(SIGPIPE, &was, NULL);
		become_host_shell(&g, &r);
	}
	return run_session(&g, &r, terminal, sshd);
}
