/* Lines for the user, on stderr: stdout belongs to the command. */

#ifndef DOCKERSH_MESSAGE_H
#define DOCKERSH_MESSAGE_H

#include "wire.h"

/* The exit code of every failure of dockersh itself, as it is of ssh. */
#define EXIT_OURS 255

/* Hints for users, who cannot do it themselves (internal/proto/usererr). */
#define ASK "ask the administrator to run: "
#define HINT_LOG ASK "journalctl -t dockershd -t dockersh-bridge"
#define HINT_DOCTOR ASK "dockershctl doctor"
#define HINT_CHECK ASK "dockershctl check"
#define HINT_RESTART ASK "dockershctl restart NAME (dockershctl ls shows the names)"
#define HINT_START ASK "systemctl start dockershd"

/*
 * Copies foreign text with a question mark in place of every character that would steer a terminal,
 * hide, or change the direction of the text around it, and of every byte that is not UTF-8
 * (internal/proto/printable). What does not fit is left out. Returns to.
 */
const char *clean(struct text foreign, char *to, size_t room);

/* Prints one line, of at most MAX_LINE bytes. */
#define MAX_LINE 4096
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints an error, and a hint unless that is NULL or empty, and exits. */
void fail(const char *hint, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Returns the text of an error number, as errors of this project are written. */
const char *error_text(int number);

/*
 * Shows on a terminal what a login waits for that has taken a while since start_progress: the line,
 * or the last one where that is empty. It is called every second.
 */
void start_progress(void);
void show_progress(struct text line);
void clear_progress(void);

#endif
