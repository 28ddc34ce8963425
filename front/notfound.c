#define _GNU_SOURCE
#include "notfound.h"
#include "message.h"

#include <string.h>

/* The characters that mean themselves to every shell. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./"

/* Programs of which nobody but the image can have one. */
static const char *const others[] = {
	"rsync", "git-upload-pack", "git-receive-pack", "git-upload-archive", "borg", "svnserve", "unison", NULL,
};

/* Reports whether options of scp make it the remote side of another one. */
static int
is_remote_side(const char *rest)
{
	for (;;) {
		size_t n;

		rest += strspn(rest, " \t\n\v\f\r");
		n = strcspn(rest, " \t\n\v\f\r");
		if (n == 0 || rest[0] != '-' || (n == 2 && rest[1] == '-') || strspn(rest + 1, "tfrpdvq") != n - 1)
			return 0;
		if (memchr(rest, 't', n) != NULL || memchr(rest, 'f', n) != NULL)
			return 1;
		rest += n;
	}
}

/*
 * Returns the name of the program, for people; len 0 if it is none that clients expect
 * (internal/proto/remotecmd).
 */
static struct text
program_of(const char *command)
{
	size_t len = strcspn(command, " ");
	const char *slash = memrchr(command, '/', len);
	struct text none = { "", 0 }, name = { command, len };

	if (len == 0 || strspn(command, PLAIN) < len)
		return none; /* the shell reads something else than this word */
	if (slash != NULL)
		name = (struct text){ slash + 1, len - (size_t)(slash + 1 - command) };
	if (len == 13 && memcmp(command, "internal-sftp", 13) == 0)
		return (struct text){ "sftp-server", 11 };
	if (name.len == 11 && memcmp(name.at, "sftp-server", 11) == 0 && command[0] == '/')
		return name;
	if (name.len == 3 && memcmp(name.at, "scp", 3) == 0 && (len == 3 || command[0] == '/') && is_remote_side(command + len))
		return name;
	for (const char *const *o = others; *o != NULL; o++)
		if (strlen(*o) == len && memcmp(*o, command, len) == 0)
			return name;
	return none;
}

void
print_not_found(const struct request *r, struct text container)
{
	char text[512];
	struct text name;

	if (!r->command || r->args[0] == NULL || r->args[1] != NULL)
		return;
	name = program_of(r->args[0]);
	if (name.len > 0)
		print_line("dockersh: %.*s cannot be started in the container %s: install it there, or use an image that has it",
		    (int)name.len, name.at, clean(container, text, sizeof(text)));
}
