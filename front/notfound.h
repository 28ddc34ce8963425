/* A line for the user where the program of a command is missing in the container. */

#ifndef DOCKERSH_NOTFOUND_H
#define DOCKERSH_NOTFOUND_H

#include "arguments.h"

/* The exit code of a shell that does not find the program of its command. */
#define NOT_FOUND 127

/*
 * Prints the line if the program is one that clients expect on every host, such as rsync: their own
 * message would be about a broken connection.
 */
void print_not_found(const struct request *r, struct text container);

#endif
