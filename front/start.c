#define _GNU_SOURCE
#include "start.h"
#include "clock.h"
#include "environment.h"
#include "inherited.h"
#include "message.h"
#include "sshagent.h"
#include "xauthority.h"

#include <errno.h>
#include <fcntl.h>

/* How long an agent may take to start a session. */
#define START_MS 15000

static struct packet request;
static struct received answer;

/* Ends the program for an agent that broke the protocol. */
static void bad_answer(void) __attribute__((noreturn));

static void
bad_answer(void)
{
	fail(HINT_RESTART, "the container does not answer as it should");
}

/* Ends the program for an agent that is gone or does not answer. What happened to it, the broker knows. */
static void no_answer(const struct grant *g) __attribute__((noreturn));

static void
no_answer(const struct grant *g)
{
	if (!is_gone() && errno != ETIMEDOUT)
		bad_answer();
	fail("try again, or " HINT_LOG, "%s", ask_why(&g->broker));
}

/* Reports whether somebody reads our messages. */
static int
is_interactive(const struct start *s)
{
	return s->terminal && !s->request->command && *s->request->args == NULL;
}

/* Builds the message. Returns the length of the part that the oldest agents understand. */
static size_t
build_start(const struct start *s, const char *ssh_agent)
{
	const struct ready *ready = &s->grant->ready;
	size_t known;

	begin(&request, KIND_START);
	put_number(&request, s->terminal != 0, 1);
	put_number(&request, s->size.rows, 2);
	put_number(&request, s->size.cols, 2);
	put_bytes(&request, &s->modes, s->terminal ? sizeof(s->modes) : 0);
	put_bytes(&request, ready->shell.at, ready->shell.len);
	put_argv(&request, s->request, ready->shell);
	put_environment(&request, ready->accept, ready->shell, s->request->original);
	put_bytes(&request, ready->cwd.at, ready->cwd.len);
	known = request.len;
	put_inherited(&request);
	put_number(&request, ready->ssh_agent && ssh_agent != NULL, 1);
	if (ready->x11 && forwards_x11())
		put_display(&request);
	else {
		put_string(&request, "");
		put_bytes(&request, "", 0);
	}
	put_bytes(&request, ready->fallback.at, ready->fallback.len);
	return known;
}

/*
 * Receives the agent's first message, which names its version. Nothing is sent to an agent before
 * it has shown that it runs: stdout in the queue of a frozen one would keep sshd waiting for its
 * end.
 */
static unsigned
receive_hello(const struct grant *g, const struct channel *agent)
{
	unsigned version;

	if (receive(agent, &answer) < 0)
		no_answer(g);
	if (answer.kind != KIND_HELLO || answer.num_fds > 0 || read_hello(answer.body, &version) < 0)
		bad_answer();
	if (version < 1 || version > AGENT_VERSION)
		fail(HINT_RESTART, "the container runs another version of dockersh");
	return version;
}

/* Reports whether fd is a pipe. It asks nothing that whoever made the descriptor could delay. */
static int
is_pipe(int fd)
{
	return fcntl(fd, F_GETPIPE_SZ) > 0;
}

/* Receives the answer to a Start. */
static struct started
receive_started(const struct grant *g, const struct channel *agent)
{
	struct started m;
	struct refusal refusal;
	char text[2048], hint[2048];

	if (receive(agent, &answer) < 0)
		no_answer(g);
	if (answer.kind == KIND_ERROR && answer.num_fds == 0 && read_refusal(answer.body, &refusal) == 0)
		fail(clean(refusal.hint, hint, sizeof(hint)), "%s", clean(refusal.text, text, sizeof(text)));
	if (answer.kind != KIND_STARTED || read_started(answer.body, &m) < 0)
		bad_answer();
	return m;
}

struct running
start_session(const struct start *s)
{
	const struct grant *g = s->grant;
	struct channel agent = { .fd = g->agent.fd, .until = now_ms() + START_MS };
	struct running run = { .master = -1, .output = -1, .listener = -1 };
	struct started m;
	char notice[2048];
	size_t known, at = 0;
	int wants_agent;

	if (g->ready.ssh_agent || is_interactive(s))
		run.ssh_agent = ssh_agent_path();
	wants_agent = g->ready.ssh_agent && run.ssh_agent != NULL;
	known = build_start(s, run.ssh_agent);
	if (receive_hello(g, &agent) == 1) {
		request.len = known;
		wants_agent = 0;
	}
	if (request.too_large)
		fail(NULL, "the command line and the environment are too long");
	if (send_packet(&agent, &request, s->stdio, s->terminal ? 0 : 3) < 0)
		no_answer(g);
	m = receive_started(g, &agent);
	if (m.terminal != s->terminal || (m.ssh_agent && !wants_agent) ||
	    (m.piped && !m.terminal) || answer.num_fds != (size_t)(m.terminal + m.piped + m.ssh_agent))
		bad_answer();
	if (m.terminal) {
		run.output = run.master = answer.fds[at++];
		if (!is_master(run.master) || fcntl(run.master, F_SETFL, O_NONBLOCK) < 0)
			bad_answer();
	}
	if (m.piped) {
		run.output = answer.fds[at++];
		if (!is_pipe(run.output) || fcntl(run.output, F_SETFL, O_NONBLOCK) < 0)
			bad_answer();
	}
	/*
	 * Anything else in its place stays open, because to close it may take as long as its sender
	 * likes (SO_LINGER).
	 */
	if (m.ssh_agent && is_listener(answer.fds[at]))
		run.listener = answer.fds[at];
	if (m.notice.len > 0)
		print_line("dockersh: %s", clean(m.notice, notice, sizeof(notice)));
	if (is_interactive(s) && run.ssh_agent != NULL && run.listener < 0)
		print_line("dockersh: your ssh agent is not forwarded into this container");
	if (is_interactive(s) && forwards_x11() && !m.x11)
		print_line("dockersh: X11 is not forwarded into this container");
	return run;
}
