#define _GNU_SOURCE
#include "message.h"
#include "clock.h"
#include "terminal.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long a login takes before its progress is shown. */
#define PROGRESS_MS 1000

static int progress_shown;
static long long progress_since;

/* Writes all of it, unless that fails. */
static void
write_all(const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, at, len);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void
print_list(const char *before, const char *format, va_list list)
{
	char line[MAX_LINE + 1];
	int n = snprintf(line, MAX_LINE, "%s", before);

	n += vsnprintf(line + n, (size_t)(MAX_LINE - n), format, list);
	if (n >= MAX_LINE)
		n = MAX_LINE - 1;
	line[n] = '\n';
	write_all(line, (size_t)n + 1);
}

void
print_line(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	print_list("", format, list);
	va_end(list);
}

void
fail(const char *hint, const char *format, ...)
{
	va_list list;

	clear_progress();
	va_start(list, format);
	print_list("dockersh: error: ", format, list);
	va_end(list);
	if (hint != NULL && *hint != 0)
		print_line("hint: %s", hint);
	_exit(EXIT_OURS);
}

const char *
error_text(int number)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s", strerror(number));
	if (islower((unsigned char)text[1])) /* not that of "I/O error", as musl has it */
		text[0] = (char)tolower((unsigned char)text[0]);
	return text;
}

void
start_progress(void)
{
	progress_since = now_ms();
}

void
show_progress(struct text line)
{
	static char last[1024];

	if (line.len > 0)
		clean(line, last, sizeof(last));
	if (last[0] == 0 || now_ms() - progress_since <= PROGRESS_MS || !is_terminal(STDERR_FILENO))
		return;
	progress_shown = 1;
	write_all("\r\x1b[K", 4);
	write_all(last, strlen(last));
}

void
clear_progress(void)
{
	if (progress_shown)
		write_all("\r\x1b[K", 4);
	progress_shown = 0;
}

/*
 * Takes one character of UTF-8. Returns its number of bytes, or 0 for a byte that is not UTF-8:
 * surrogates, numbers beyond Unicode and longer forms than needed are not.
 */
static size_t
take_character(const unsigned char *at, size_t len, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = at[0] < 0x80 ? 1 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 :
	    at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	*c = n == 1 ? at[0] : at[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (at[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return n;
}

/* Ranges of characters that must not reach a terminal, in order. */
static const struct { uint32_t first, last; } unsafe[] = {
	{ 0, 0x1f }, { 0x7f, 0x9f },          /* control characters */
	{ 0x61c, 0x61c },                     /* direction (CVE-2021-42574) */
	{ 0x200b, 0x200b },                   /* invisible */
	{ 0x200e, 0x200f },                   /* direction */
	{ 0x2028, 0x2029 },                   /* separators of lines and paragraphs */
	{ 0x202a, 0x202e },                   /* direction */
	{ 0x2060, 0x206f },                   /* invisible, and direction */
	{ 0xfeff, 0xfeff }, { 0xfffd, 0xfffd }, { 0xe0000, 0xe007f }, /* invisible, and not a character */
};

static int
is_unsafe(uint32_t c)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return 1;
	return 0;
}

const char *
clean(struct text foreign, char *to, size_t room)
{
	const unsigned char *at = (const unsigned char *)foreign.at;
	size_t left = foreign.len, out = 0;

	while (left > 0) {
		uint32_t c = 0;
		size_t n = take_character(at, left, &c), len = n;
		int bad = n == 0 || is_unsafe(c);

		if (bad) {
			n += n == 0;
			len = 1;
		}
		if (out + len >= room)
			break;
		memcpy(to + out, bad ? "?" : (const char *)at, len);
		out += len;
		at += n;
		left -= n;
	}
	to[out] = 0;
	return to;
}
