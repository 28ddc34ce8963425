#define _GNU_SOURCE
#include "environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *nothing[] = { NULL };
static char **taken = nothing;

/*
 * The variables, as patterns, that no setting lets into a container: they change which code a
 * program runs, or the session sets them itself.
 */
static const char *const never[] = {
	"LD_*", "DYLD_*", "GCONV_PATH", "GODEBUG", "GOTRACEBACK", "GLIBC_TUNABLES", "DOCKER_*", "BASH_ENV", "ENV", "IFS",
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "SSH_*", "BASH_FUNC_*", "DISPLAY", "XAUTHORITY", NULL,
};

/*
 * The variables in which sshd describes the connection. The agent sets SSH_TTY; SSH_AUTH_SOCK and
 * SSH_USER_AUTH are paths of the host.
 */
static const char *const always[] = { "SSH_CLIENT", "SSH_CONNECTION", NULL };

/* Returns the length of the name of an entry; 0 if it has none. */
static size_t
name_length(const char *entry)
{
	const char *end = strchr(entry, '=');

	return end == NULL ? 0 : (size_t)(end - entry);
}

static int
is_named(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return name_length(entry) == n && n > 0 && memcmp(entry, name, n) == 0;
}

void
take_environment(void)
{
	if (environ != NULL)
		taken = environ;
	environ = nothing;
}

/* Reports whether no entry before this one has its name: of several, the first one counts. */
static int
is_first(char **entry)
{
	size_t n = name_length(*entry);

	for (char **e = taken; e < entry; e++)
		if (n > 0 && name_length(*e) == n && memcmp(*e, *entry, n) == 0)
			return 0;
	return 1;
}

const char *
get_variable(const char *name)
{
	for (char **e = taken; *e != NULL; e++)
		if (is_named(*e, name)) {
			const char *value = *e + strlen(name) + 1;
			return *value == 0 ? NULL : value;
		}
	return NULL;
}

/* Reports whether a pattern of sshd_config(5) means a name: * stands for any bytes, ? for one. */
static int
matches(struct text pattern, struct text name)
{
	size_t p = 0, i = 0, star = 0, from = 0;
	int has_star = 0;

	while (i < name.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			has_star = 1;
			star = p++;
			from = i;
		} else if (p < pattern.len && (pattern.at[p] == '?' || pattern.at[p] == name.at[i])) {
			p++;
			i++;
		} else if (has_star) { /* let the last star stand for one byte more */
			p = star + 1;
			i = ++from;
		} else
			return 0;
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

static int
matches_any(const char *const patterns[], struct text name)
{
	for (; *patterns != NULL; patterns++)
		if (matches((struct text){ *patterns, strlen(*patterns) }, name))
			return 1;
	return 0;
}

static int
is_accepted(struct list accept, struct text name)
{
	for (uint32_t i = 0; i < accept.count; i++)
		if (matches(take_text(&accept.items), name))
			return 1;
	return 0;
}

/* Appends NAME=VALUE. */
static void
put_variable(struct packet *p, const char *name, struct text value)
{
	size_t place = begin_counted(p);
	size_t from = p->len;

	put_raw(p, name, strlen(name));
	put_raw(p, "=", 1);
	put_raw(p, value.at, value.len);
	end_counted(p, place, p->len - from);
}

void
put_environment(struct packet *p, struct list accept, struct text shell, const char *original)
{
	size_t place = begin_counted(p);
	size_t count = 1;

	put_variable(p, "SHELL", shell);
	if (original != NULL) {
		put_variable(p, "SSH_ORIGINAL_COMMAND", (struct text){ original, strlen(original) });
		count++;
	}
	for (char **e = taken; *e != NULL; e++) {
		struct text name = { *e, name_length(*e) };

		if (name.len == 0 || !is_first(e))
			continue;
		if (matches_any(always, name) || (!matches_any(never, name) && is_accepted(accept, name))) {
			put_string(p, *e);
			count++;
		}
	}
	end_counted(p, place, count);
}

void
execute_with_environment(const char *shell, char *const argv[])
{
	size_t n = 0, out = 0, len = strlen(shell);
	char **env, *entry;

	while (taken[n] != NULL)
		n++;
	env = calloc(n + 2, sizeof(*env));
	entry = malloc(sizeof("SHELL=") + len);
	if (env == NULL || entry == NULL)
		return;
	for (char **e = taken; *e != NULL; e++)
		if (is_first(e) && !is_named(*e, "SHELL"))
			env[out++] = *e;
	memcpy(entry, "SHELL=", 6);
	memcpy(entry + 6, shell, len + 1);
	env[out] = entry;
	execve(shell, argv, env);
}
