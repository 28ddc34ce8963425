/*
 * Reads packets from stdin as the login shell does, each behind its length. For each it writes a
 * byte to stdout: 1 if it is a message, which is then what the shell makes of its fields, behind its
 * length too. Kind 0 stands for a text to be cleaned.
 */
#include "message.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

static struct packet out;

static void
put_text(struct text t)
{
	put_bytes(&out, t.at, t.len);
}

static void
put_list(struct list l)
{
	put_number(&out, l.count, 4);
	for (uint32_t i = 0; i < l.count; i++)
		put_text(take_text(&l.items));
}

/* Appends the fields of a message. Returns -1 if it is none. */
static int
read_message(int kind, struct reader r)
{
	static char cleaned[3 * MAX_PACKET];
	struct text text;
	struct ready ready;
	struct refusal refusal;
	struct started started;
	struct exit_message end;
	unsigned version;

	switch (kind) {
	case 0:
		put_string(&out, clean((struct text){ (const char *)r.at, r.left }, cleaned, sizeof(cleaned)));
		return 0;
	case KIND_PROGRESS:
	case KIND_HOST_SHELL:
	case KIND_REASON:
	case KIND_READ_FILE:
		if (read_text(r, &text) < 0)
			return -1;
		put_text(text);
		return 0;
	case KIND_READY:
		if (read_ready(r, &ready) < 0)
			return -1;
		put_text(ready.shell);
		put_text(ready.fallback);
		put_text(ready.cwd);
		put_list(ready.accept);
		put_list(ready.notice);
		put_text(ready.container);
		put_number(&out, ready.ssh_agent, 1);
		put_number(&out, ready.x11, 1);
		return 0;
	case KIND_ERROR:
		if (read_refusal(r, &refusal) < 0)
			return -1;
		put_number(&out, *r.at, 1);
		put_text(refusal.text);
		put_text(refusal.hint);
		return 0;
	case KIND_HELLO:
		if (read_hello(r, &version) < 0)
			return -1;
		put_number(&out, version, 2);
		return 0;
	case KIND_STARTED:
		if (read_started(r, &started) < 0)
			return -1;
		put_number(&out, started.terminal, 1);
		put_text(started.notice);
		if (started.ssh_agent || started.x11 || started.piped) {
			put_number(&out, started.ssh_agent, 1);
			put_number(&out, started.x11, 1);
		}
		if (started.piped)
			put_number(&out, 1, 1);
		return 0;
	case KIND_EXIT:
		if (read_exit(r, &end) < 0)
			return -1;
		put_number(&out, end.status, 4);
		put_number(&out, end.out_of_memory, 1);
		return 0;
	}
	return -1;
}

int
main(void)
{
	uint32_t len;

	while (fread(&len, sizeof(len), 1, stdin) == 1) {
		unsigned char *packet = malloc(len); /* of its own length, so that reads beyond it are found */
		int is_message;

		if (packet == NULL || len == 0 || len > MAX_PACKET || fread(packet, len, 1, stdin) != 1)
			return 1;
		begin(&out, packet[0]);
		is_message = read_message(packet[0], (struct reader){ .at = packet + 1, .left = len - 1 }) == 0;
		free(packet);
		if (out.too_large)
			return 1;
		putchar(is_message);
		if (is_message) {
			len = (uint32_t)out.len;
			fwrite(&len, sizeof(len), 1, stdout);
			fwrite(out.at, out.len, 1, stdout);
		}
		fflush(stdout);
	}
	return 0;
}
