#define _GNU_SOURCE
#include "login.h"
#include "clock.h"
#include "door.h"
#include "environment.h"
#include "message.h"
#include "paths.h"
#include "userfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RESTART_MS 5000 /* how long the service may take to restart */
#define ANSWER_MS 60000 /* how long the broker may be silent; while it works it sends a Progress every second */
#define WHY_MS 10000    /* how long the broker may take to answer Why */
#define AGAIN_MS 25     /* how long to wait before the service is tried again */

static struct packet request;
static struct received answer;

static void no_broker(void) __attribute__((noreturn));

static void
no_broker(void)
{
	fail(HINT_START, "the dockersh service does not answer");
}

static void other_version(void) __attribute__((noreturn));

/* Ends the program for a broker whose packets are not those of this protocol. */
static void
other_version(void)
{
	fail(ASK "systemctl restart dockershd", "dockersh and its service are of different versions");
}

/* Connects to the service without waiting for it. Returns -1 with errno. */
static int
connect_service(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = SOCKET_PATH };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		int number = errno;

		close(fd);
		errno = number;
		return -1;
	}
	return fd;
}

/* Reports whether the answer is a message of this kind with that many descriptors. */
static int
is(enum kind kind, size_t num_fds)
{
	return answer.kind == (int)kind && answer.num_fds == num_fds;
}

/* Copies a text for calls of the system, which refuse longer paths than fit. */
static const char *
to_path(struct text t)
{
	static char path[PATH_MAX + 1];
	size_t len = t.len < PATH_MAX ? t.len : PATH_MAX;

	memcpy(path, t.at, len);
	path[len] = 0;
	return path;
}

/* Acts on an answer of the broker. Returns 1 with a grant, or 0 if more answers follow. */
static int
take_answer(struct grant *g)
{
	static struct packet file; /* the request stays: a service that restarts is asked again */
	struct refusal refusal;
	struct text text;
	char line[2048], hint[2048];

	if (is(KIND_PROGRESS, 0) && read_text(answer.body, &text) == 0) {
		show_progress(text);
		return 0;
	}
	if (is(KIND_READ_FILE, 0) && read_text(answer.body, &text) == 0) {
		begin(&file, KIND_USER_FILE);
		put_user_file(&file, to_path(text));
		if (send_packet(&g->broker, &file, NULL, 0) < 0)
			no_broker();
		return 0;
	}
	if (is(KIND_READY, 1) && read_ready(answer.body, &g->ready) == 0) {
		g->agent = (struct channel){ .fd = answer.fds[0], .until = NEVER };
		return 1;
	}
	if (is(KIND_HOST_SHELL, 0) && read_text(answer.body, &text) == 0) {
		g->host_shell = to_path(text);
		return 1;
	}
	if (is(KIND_ERROR, 0) && read_refusal(answer.body, &refusal) == 0)
		fail(clean(refusal.hint, hint, sizeof(hint)), "%s", clean(refusal.text, line, sizeof(line)));
	other_version();
}

/* Sends the request over a connection, and waits for the grant. Returns 0 if it ended without an answer. */
static int
ask(struct grant *g, int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	g->broker = (struct channel){ .fd = fd, .until = now_ms() + ANSWER_MS };
	if (send_packet(&g->broker, &request, NULL, 0) < 0)
		return 0;
	for (;;) {
		if (receive(&g->broker, &answer) < 0) {
			if (is_gone())
				return 0;
			if (errno == EBADMSG)
				other_version();
			no_broker();
		}
		if (take_answer(g))
			break;
		g->broker.until = now_ms() + ANSWER_MS;
	}
	clear_progress();
	g->broker.until = NEVER;
	return 1;
}

int
forwards_x11(void)
{
	return get_variable("DISPLAY") != NULL && get_variable("SSH_CONNECTION") != NULL;
}

static void
build_request(const struct request *r, int terminal)
{
	begin(&request, KIND_LOGIN);
	put_number(&request, PROTOCOL_VERSION, 2);
	put_number(&request, terminal != 0, 1);
	put_number(&request, r->command || *r->args != NULL, 1);
	put_user_file(&request, get_variable("HOME"));
	put_auth_info(&request);
	put_words(&request, r);
	put_number(&request, (uint64_t)forwards_x11(), 1);
}

struct grant
login(const struct request *r, int terminal, int broker)
{
	struct grant g = { .host_shell = NULL };
	long long end = NEVER;

	start_progress();
	build_request(r, terminal);
	if (broker != NOT_CONNECTED) {
		if (!ask(&g, broker))
			no_broker();
		return g;
	}
	/* A service that goes away before it has answered is being restarted, and is asked again. */
	for (;;) {
		int fd = connect_service();

		if (fd < 0 && errno == ENOENT && service_never_ran()) {
			if (!ask(&g, start_broker_as_user()))
				no_broker();
			return g;
		}
		if (fd >= 0) {
			if (ask(&g, fd))
				return g;
			close(fd);
		} else if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)
			fail(HINT_START, "the dockersh service does not answer: %s", error_text(errno));
		if (end == NEVER)
			end = now_ms() + RESTART_MS; /* it may have worked on this login for minutes until now */
		if (now_ms() > end)
			no_broker();
		poll(NULL, 0, AGAIN_MS);
	}
}

const char *
ask_why(const struct channel *broker)
{
	static char line[2048];
	struct channel c = { .fd = broker->fd, .until = now_ms() + WHY_MS };
	struct text reason;

	begin(&request, KIND_WHY);
	if (send_packet(&c, &request, NULL, 0) == 0 && receive(&c, &answer) == 0 && is(KIND_REASON, 0) &&
	    read_text(answer.body, &reason) == 0)
		return clean(reason, line, sizeof(line));
	return "the container ended"; /* the broker is gone too */
}
