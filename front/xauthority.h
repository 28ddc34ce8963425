/*
 * Finds the cookies of a display that sshd forwards in an Xauthority file, and makes another such
 * file of them (Xau(3), AuDispose.c and AuRead.c of libXau).
 */

#ifndef DOCKERSH_XAUTHORITY_H
#define DOCKERSH_XAUTHORITY_H

#include "wire.h"

/*
 * Appends the display that sshd forwards and its cookies; neither if there are no cookies, without
 * which sshd lets nobody in. In them they hold for that display at any host, because the container
 * has a name of its own.
 */
void put_display(struct packet *p);

#endif
