/*
 * Serves a socket in the container in place of that of the user's ssh agent, at which sshd listens
 * for us. The socket comes from the container, whose processes have it too.
 */

#ifndef DOCKERSH_SSHAGENT_H
#define DOCKERSH_SSHAGENT_H

/*
 * Returns the path of the socket at which sshd offers the user's ssh agent, in a session that sshd
 * started; NULL if there is none.
 */
const char *ssh_agent_path(void);

/* Reports whether fd is a unix stream socket that listens. It asks nothing that its maker could delay. */
int is_listener(int fd);

/*
 * Serves the listener in processes of their own, which end with this one, and closes it here.
 * Nothing of it is waited for here.
 */
void serve_ssh_agent(int listener, const char *path);

#endif
