#include "wire.h"

#include <string.h>

void
put_raw(struct packet *p, const void *at, size_t len)
{
	if (p->too_large || len > MAX_PACKET - p->len) {
		p->too_large = 1;
		return;
	}
	if (len > 0)
		memcpy(p->at + p->len, at, len);
	p->len += len;
}

void
begin(struct packet *p, enum kind kind)
{
	p->len = 0;
	p->too_large = 0;
	put_number(p, kind, 1);
}

void
put_number(struct packet *p, uint64_t n, size_t bytes)
{
	unsigned char b[8];

	for (size_t i = 0; i < bytes; i++)
		b[i] = (unsigned char)(n >> (8 * i));
	put_raw(p, b, bytes);
}

void
put_bytes(struct packet *p, const void *at, size_t len)
{
	put_number(p, len, 4);
	put_raw(p, at, len);
}

void
put_string(struct packet *p, const char *s)
{
	put_bytes(p, s, strlen(s));
}

size_t
begin_counted(struct packet *p)
{
	size_t place = p->len;

	put_number(p, 0, 4);
	return place;
}

void
end_counted(struct packet *p, size_t place, size_t count)
{
	if (p->too_large)
		return;
	for (size_t i = 0; i < 4; i++)
		p->at[place + i] = (unsigned char)(count >> (8 * i));
}

/* Returns the next bytes, or NULL if there are not so many. */
static const unsigned char *
take(struct reader *r, size_t len)
{
	const unsigned char *at = r->at;

	if (r->bad || len > r->left) {
		r->bad = 1;
		return NULL;
	}
	r->at += len;
	r->left -= len;
	return at;
}

uint64_t
take_number(struct reader *r, size_t bytes)
{
	const unsigned char *at = take(r, bytes);
	uint64_t n = 0;

	for (size_t i = 0; at != NULL && i < bytes; i++)
		n |= (uint64_t)at[i] << (8 * i);
	return n;
}

int
take_flag(struct reader *r)
{
	uint64_t n = take_number(r, 1);

	if (n > 1)
		r->bad = 1;
	return n == 1;
}

struct text
take_text(struct reader *r)
{
	size_t len = take_number(r, 4);
	const unsigned char *at = take(r, len);
	struct text t = { "", 0 };

	if (at == NULL)
		return t;
	if (memchr(at, 0, len) != NULL) {
		r->bad = 1;
		return t;
	}
	t.at = (const char *)at;
	t.len = len;
	return t;
}

struct list
take_list(struct reader *r)
{
	struct list l = { .count = (uint32_t)take_number(r, 4) };

	l.items = *r;
	for (uint32_t i = 0; i < l.count && !r->bad; i++)
		take_text(r);
	return l;
}

/* Returns -1 if it is bad, or if there is more than was read. */
static int
end(const struct reader *r)
{
	return r->bad || r->left > 0 ? -1 : 0;
}

int
read_text(struct reader r, struct text *text)
{
	*text = take_text(&r);
	return end(&r);
}

int
read_ready(struct reader r, struct ready *m)
{
	m->shell = take_text(&r);
	m->fallback = take_text(&r);
	m->cwd = take_text(&r);
	m->accept = take_list(&r);
	m->notice = take_list(&r);
	m->container = take_text(&r);
	m->ssh_agent = take_flag(&r);
	m->x11 = take_flag(&r);
	return end(&r);
}

int
read_refusal(struct reader r, struct refusal *m)
{
	take_number(&r, 1); /* the code, which is for programs */
	m->text = take_text(&r);
	m->hint = take_text(&r);
	return end(&r);
}

int
read_hello(struct reader r, unsigned *version)
{
	*version = (unsigned)take_number(&r, 2);
	return end(&r);
}

int
read_started(struct reader r, struct started *m)
{
	int set;

	m->terminal = take_flag(&r);
	m->notice = take_text(&r);
	m->ssh_agent = m->x11 = m->piped = 0;
	if (!r.bad && r.left > 0) { /* flags, which are missing where none is set */
		m->ssh_agent = take_flag(&r);
		m->x11 = take_flag(&r);
		set = m->ssh_agent || m->x11;
		if (r.left > 0)
			set = m->piped = take_flag(&r);
		if (!set)
			return -1;
	}
	return end(&r);
}

int
read_exit(struct reader r, struct exit_message *m)
{
	m->status = (uint32_t)take_number(&r, 4);
	m->out_of_memory = take_flag(&r);
	return end(&r);
}
