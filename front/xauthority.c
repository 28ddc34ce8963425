#define _GNU_SOURCE
#include "xauthority.h"
#include "environment.h"
#include "userfile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_FILE (64 << 10)

/* The families of addresses that matter here (X11/Xauth.h). */
#define FAMILY_LOCAL 256  /* the address is the name of a host */
#define FAMILY_WILD 65535 /* any address */

static int
equal(struct text a, struct text b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* Returns the length of the digits that a text begins with; 0 for none or for more than a display has. */
static size_t
digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n <= 5 ? n : 0;
}

/* Returns the number of a display as sshd names it for a session: "10" of "localhost:10.0"; else none. */
static struct text
number_of(const char *display)
{
	struct text none = { "", 0 };
	size_t n, screen;

	if (strncmp(display, "localhost:", 10) != 0)
		return none;
	display += 10;
	n = digits(display);
	if (n == 0)
		return none;
	if (display[n] == 0)
		return (struct text){ display, n };
	screen = display[n] == '.' ? digits(display + n + 1) : 0;
	if (screen == 0 || display[n + 1 + screen] != 0)
		return none;
	return (struct text){ display, n };
}

/* A file that is read, in its own order of bytes. What is damaged ends it. */
struct file {
	const unsigned char *at;
	size_t left;
};

static int
take_u16(struct file *f, size_t *n)
{
	if (f->left < 2)
		return -1;
	*n = (size_t)f->at[0] << 8 | f->at[1];
	f->at += 2;
	f->left -= 2;
	return 0;
}

static int
take_field(struct file *f, struct text *t)
{
	size_t n;

	if (take_u16(f, &n) < 0 || n > f->left)
		return -1;
	*t = (struct text){ (const char *)f->at, n };
	f->at += n;
	f->left -= n;
	return 0;
}

/* The file that is made. */
struct cookies {
	size_t len;
	unsigned char at[MAX_COOKIES];
};

static void
add_u16(struct cookies *c, size_t n)
{
	c->at[c->len++] = (unsigned char)(n >> 8);
	c->at[c->len++] = (unsigned char)n;
}

static void
add_field(struct cookies *c, struct text t)
{
	add_u16(c, t.len);
	if (t.len > 0)
		memcpy(c->at + c->len, t.at, t.len);
	c->len += t.len;
}

/* Adds the cookies that a file has for a display of this host. */
static void
find_cookies(struct file f, struct text number, struct text host, struct cookies *c)
{
	struct text address, display, name, data;
	size_t family;

	while (take_u16(&f, &family) == 0 && take_field(&f, &address) == 0 && take_field(&f, &display) == 0 &&
	    take_field(&f, &name) == 0 && take_field(&f, &data) == 0) {
		if (family != FAMILY_WILD && (family != FAMILY_LOCAL || !equal(address, host)))
			continue;
		if (display.len > 0 && !equal(display, number))
			continue;
		if (10 + number.len + name.len + data.len > sizeof(c->at) - c->len)
			continue;
		add_u16(c, FAMILY_WILD);
		add_field(c, (struct text){ "", 0 });
		add_field(c, number);
		add_field(c, name);
		add_field(c, data);
	}
}

void
put_display(struct packet *p)
{
	static unsigned char file[MAX_FILE];
	struct cookies c = { .len = 0 };
	const char *display = get_variable("DISPLAY"), *path = get_variable("XAUTHORITY"), *home = get_variable("HOME");
	struct text number = { "", 0 };
	struct utsname host;
	char in_home[PATH_MAX + 1]; /* what is too long for that, open(2) refuses */

	if (display != NULL)
		number = number_of(display);
	if (path == NULL) {
		snprintf(in_home, sizeof(in_home), "%s/.Xauthority", home != NULL ? home : "");
		path = in_home;
	}
	if (number.len > 0 && uname(&host) == 0) {
		struct file f = { file, read_xauthority(path, file, sizeof(file)) };

		find_cookies(f, number, (struct text){ host.nodename, strlen(host.nodename) }, &c);
	}
	put_string(p, c.len > 0 ? display : "");
	put_bytes(p, c.at, c.len);
}
