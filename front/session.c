#define _GNU_SOURCE
#include "session.h"
#include "environment.h"
#include "exitstatus.h"
#include "message.h"
#include "notfound.h"
#include "relay.h"
#include "sshagent.h"
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PIPEFS_MAGIC 0x50495045
#define GATHER_NS 200000 /* how long the output of a flood gathers before it is read */

/* The session. Handlers of signals need it too. */
static struct {
	struct channel broker, agent;
	struct start start;
	struct running run;
	struct relay relays[3];
	size_t num_relays;
	volatile sig_atomic_t raw;        /* the user's terminal is to be restored */
	int parent;                       /* pidfd of sshd; -1 for none */
	volatile sig_atomic_t resized;    /* SIGWINCH came since the size was looked at */
	sigset_t waiting;                 /* the signals that are blocked while it waits */
} session;

static struct received answer;

int
open_sshd(void)
{
	return get_variable("SSH_CONNECTION") == NULL ? -1 : (int)syscall(SYS_pidfd_open, getppid(), 0);
}

/*
 * Opens the terminal of fd 0 or 1 again, so that it is non-blocking for us alone: the open file is
 * shared with the process that started us. Opening fails for a terminal of another user (su); then
 * the shared one must do.
 */
static int
reopen(int fd, int mode)
{
	int n = open(fd == 0 ? "/proc/self/fd/0" : "/proc/self/fd/1", mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return n < 0 ? fd : n;
}

/*
 * Reports whether fd may cross between host and container: an anonymous pipe, or a connected unix
 * stream socket, as sshd makes them. Any other socket belongs to the host's network, and could be
 * connected again inside (as in CVE-2020-15257). Anything in a file system of the host or a device
 * of the host would let the container reach it through /proc/self/fd; a terminal of the host could
 * be made to type (CVE-2017-5226).
 */
static int
is_passable(int fd)
{
	struct stat st;
	struct statfs fs;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer), size = sizeof(int);
	int type;

	if (fstat(fd, &st) < 0)
		return 0;
	if (S_ISFIFO(st.st_mode))
		return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
	return S_ISSOCK(st.st_mode) && getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.ss_family == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/*
 * Lets the session open a pipe of ours again, as `echo x >/dev/stderr` does: in the container it
 * may be another user, with another number. That gives nobody else anything: an anonymous pipe is
 * reached by the descriptors of processes that have it alone, and those only by who may trace them
 * (proc_pid_fd(5)). A pipe of another user's stays as it is; under bash it cannot be opened either.
 */
static void
let_reopen(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		fchmod(fd, 0666);
}

/* Passes the terminal's size on if it has changed since it was last passed on. */
static void
update_size(void)
{
	struct size now = get_size(STDIN_FILENO);

	if (now.rows == session.start.size.rows && now.cols == session.start.size.cols)
		return;
	session.start.size = now;
	set_size(session.run.master, now);
}

/* Restores the user's terminal. It is called by handlers too. */
static void
restore(void)
{
	if (session.raw)
		set_modes(STDIN_FILENO, &session.start.modes);
	session.raw = 0;
}

/*
 * Sends the end of the session to the broker, for its log. It does not wait: the broker has read
 * everything before, so there is room in the socket. It is called by handlers too: the last end that
 * is sent is that of this process.
 */
static void
report_end(uint32_t status)
{
	unsigned char ended[] = { KIND_ENDED, (unsigned char)status, (unsigned char)(status >> 8),
		(unsigned char)(status >> 16), (unsigned char)(status >> 24) };

	send(session.broker.fd, ended, sizeof(ended), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/*
 * Acts on a signal. With a terminal, the keys reach the container as bytes, so a signal is for this
 * process: it restores the terminal and dies, which hangs up the session. Without a terminal, a
 * signal is for the command.
 */
static void
handle(int sig)
{
	unsigned char forwarded[] = { KIND_SIGNAL, (unsigned char)sig };
	int number = errno;

	if (session.start.terminal)
		restore();
	else
		send(session.agent.fd, forwarded, sizeof(forwarded), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (session.start.terminal || sig == SIGHUP || sig == SIGTERM) {
		report_end((uint32_t)sig);
		die_by(sig);
	}
	errno = number;
}

static void
handle_resize(int sig)
{
	(void)sig;
	session.resized = 1;
}

/*
 * Handles signals as a shell would, from now on. Until then a signal ends this process, and with it
 * the session.
 */
static void
handle_signals(void)
{
	static const int handled[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = handle }, was;
	sigset_t winch;

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		/* A shell without a terminal leaves ignored what its caller ignores (nohup(1), and & in scripts). */
		if (session.start.terminal || sigaction(handled[i], NULL, &was) < 0 || was.sa_handler != SIG_IGN)
			sigaction(handled[i], &action, NULL);
	}
	sigemptyset(&winch);
	if (session.start.terminal) {
		/* It comes while we wait, or as soon as we do. */
		sigaddset(&winch, SIGWINCH);
		action.sa_handler = handle_resize;
		sigaction(SIGWINCH, &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &winch, &session.waiting);
	sigdelset(&session.waiting, SIGWINCH);
}

static struct relay *
add_relay(int from, int to)
{
	struct relay *r = &session.relays[session.num_relays++];

	r->from = from;
	r->to = to;
	return r;
}

/* Starts a session on a pty of the container, and puts the user's terminal into raw mode. */
static void
start_terminal(void)
{
	struct relay *input;
	modes raw;

	if (get_modes(STDIN_FILENO, &session.start.modes) < 0)
		fail(NULL, "the terminal is gone: %s", error_text(errno));
	session.start.size = get_size(STDIN_FILENO);
	session.run = start_session(&session.start);
	handle_signals();
	update_size(); /* it may have changed before that */
	raw = raw_modes(session.start.modes);
	session.raw = 1;
	if (set_modes(STDIN_FILENO, &raw) < 0)
		fail(NULL, "the terminal is gone: %s", error_text(errno));
	input = add_relay(reopen(STDIN_FILENO, O_RDONLY), session.run.master);
	input->input = 1;
	input->received = update_size;
	add_relay(session.run.output, reopen(STDOUT_FILENO, O_WRONLY));
}

/*
 * Starts a session without a terminal. It hands over stdin, stdout and stderr themselves if they
 * are pipes or sockets, and copies anything else.
 */
static void
start_plain(void)
{
	int theirs[3], num_theirs = 0;

	for (int fd = 0; fd < 3; fd++) {
		struct relay *r;
		int ends[2], ours;

		session.start.stdio[fd] = fd;
		if (is_passable(fd)) {
			let_reopen(fd);
			continue;
		}
		if (pipe2(ends, O_CLOEXEC) < 0)
			fail(HINT_LOG, "no pipe can be made: %s", error_text(errno));
		ours = ends[fd == 0];
		session.start.stdio[fd] = theirs[num_theirs++] = ends[fd != 0];
		r = fd == 0 ? add_relay(fd, ours) : add_relay(ours, fd);
		r->input = fd == 0;
		r->pipe = 1;
		fcntl(ours, F_SETFL, O_NONBLOCK); /* only our end: the session's must block, as every program expects */
		let_reopen(session.start.stdio[fd]);
	}
	session.run = start_session(&session.start);
	while (num_theirs > 0)
		close(theirs[--num_theirs]);
	handle_signals();
}

/* Why a session is over. */
enum cause { ENDED, LOST, HUNG_UP };

/* Lets the output of a flood gather: it waits for anything but the output, for a moment. */
static void
gather(struct pollfd *fds, nfds_t n)
{
	struct timespec moment = { .tv_nsec = GATHER_NS };

	ppoll(fds, n, &moment, &session.waiting);
}

/* Receives the end of the session. Returns -1 if the agent ended without one. */
static int
receive_exit(struct exit_message *m)
{
	for (int again = 0; again < 2; again++) {
		if (receive(&session.agent, &answer) == 0)
			return answer.kind == KIND_EXIT && answer.num_fds == 0 ? read_exit(answer.body, m) : -1;
		/*
		 * Where the agent did not read our last signal, the kernel reports that before it delivers
		 * what was sent earlier.
		 */
		if (errno != ECONNRESET)
			break;
	}
	return -1;
}

/* Runs the relays until the session is over and its output is written. */
static enum cause
copy_until_end(struct exit_message *end)
{
	struct relay *input = &session.relays[0];

	for (;;) {
		struct pollfd fds[6] = { { .fd = session.agent.fd, .events = POLLIN }, { .fd = session.parent, .events = POLLIN },
			{ .fd = session.run.listener, .events = POLLIN } };
		struct relay *live[3];
		nfds_t n = 3;

		for (size_t i = 0; i < session.num_relays; i++) {
			struct relay *r = &session.relays[i];

			if (r->done)
				continue;
			if (gathers(r)) /* the output comes last */
				gather(fds, n);
			live[n - 3] = r;
			fds[n++] = relay_waits_for(r);
		}
		if (session.resized) { /* in gather, or while it waited; from here on the signal is blocked */
			session.resized = 0;
			update_size();
		}
		if (ppoll(fds, n, NULL, &session.waiting) < 0) {
			if (errno != EINTR)
				return LOST;
			continue;
		}
		for (nfds_t i = 3; i < n; i++)
			if (fds[i].revents != 0)
				run_relay(live[i - 3], fds[i].revents);
		if (fds[2].revents != 0) {
			serve_ssh_agent(session.run.listener, session.run.ssh_agent);
			session.run.listener = -1;
		}
		if (fds[1].revents != 0 || (session.start.terminal && input->done))
			return HUNG_UP;
		if (fds[0].revents != 0) {
			int got = receive_exit(end);

			for (size_t i = 0; i < session.num_relays; i++)
				if (!session.relays[i].input)
					drain_relay(&session.relays[i], session.parent);
			return got < 0 ? LOST : ENDED;
		}
	}
}

/* Ends as the session did: by the same signal, or with the exit code that is returned. */
static int
end_as(const struct exit_message *end)
{
	int signal, code = split_status(end->status, &signal);

	report_end(end->status);
	if (end->out_of_memory && (signal == SIGKILL || code == SIGNALED + SIGKILL))
		print_line("dockersh: error: killed: the container ran out of memory");
	if (code == NOT_FOUND && !session.start.terminal)
		print_not_found(session.start.request, session.start.grant->ready.container);
	if (signal == 0)
		return code;
	die_by(signal);
	return SIGNALED + signal; /* a signal that does not end a process */
}

int
run_session(const struct grant *g, const struct request *r, int terminal, int sshd)
{
	struct list notice = g->ready.notice;
	struct exit_message end;
	char line[2048];
	enum cause cause;

	for (uint32_t i = 0; i < notice.count; i++)
		print_line("%s", clean(take_text(&notice.items), line, sizeof(line)));
	session.broker = g->broker;
	session.agent = g->agent;
	session.parent = sshd;
	session.start = (struct start){ .grant = g, .request = r, .terminal = terminal };
	if (terminal)
		start_terminal();
	else
		start_plain();
	cause = copy_until_end(&end);
	restore();
	if (cause == ENDED)
		return end_as(&end);
	if (cause == HUNG_UP) {
		report_end(SIGHUP);
		die_by(SIGHUP);
	}
	print_line("dockersh: error: %s", ask_why(&session.broker));
	die_by(SIGKILL);
	return EXIT_OURS;
}
