/*
 * Files that the user can change: ~/.dockersh, the one in which sshd describes how the user
 * authenticated, and the one in which it puts cookies of X11. They are read with the user's rights.
 * A FIFO, a device or a link in the place of a file neither blocks nor misleads.
 */

#ifndef DOCKERSH_USERFILE_H
#define DOCKERSH_USERFILE_H

#include "wire.h"

/*
 * Appends the bytes of the .dockersh in a home, and why they cannot be read; both are empty if
 * there is no such file, or for no home (NULL).
 */
void put_user_file(struct packet *p, const char *home);

/* Appends the bytes of the file that SSH_USER_AUTH names; none if it is not like those that sshd makes. */
void put_auth_info(struct packet *p);

/* Reads an Xauthority file, of which at most room bytes count. Returns its length; 0 without one. */
size_t read_xauthority(const char *path, unsigned char *to, size_t room);

/* Reports whether there is a socket of the user at a path. */
int is_own_socket(const char *path);

#endif
