/* What this process has from whoever started it (PAM, above all), for the session to have too. */

#ifndef DOCKERSH_INHERITED_H
#define DOCKERSH_INHERITED_H

#include "wire.h"

/* Appends the umask, the nice value and the resource limits. */
void put_inherited(struct packet *p);

#endif
