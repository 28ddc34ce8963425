/*
 * Starts a broker for one session, where no service listens on the socket. A front that is
 * installed setuid root starts it as root, and gives root up. Any other front starts it with the
 * user's own rights, for users who may use an engine themselves.
 */

#ifndef DOCKERSH_DOOR_H
#define DOCKERSH_DOOR_H

/* Reports whether this program runs with other rights than its caller's. */
int is_setuid(void);

/*
 * Starts a broker as root, gives root up, and returns the connected socket. A setuid front calls it
 * first: until it has returned, nothing of the caller has been read but the uid.
 */
int start_broker_as_root(void);

/* Starts a broker with our own rights and returns the connected socket. */
int start_broker_as_user(void);

/*
 * Reports, for a caller that found no socket of the service, whether waiting for one is pointless:
 * no service has run since boot, so none is being restarted. Root need not wait, having all rights
 * of a broker.
 */
int service_never_ran(void);

#endif
