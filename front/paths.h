/* Places that are fixed when the program is built (internal/host/paths). */

#ifndef DOCKERSH_PATHS_H
#define DOCKERSH_PATHS_H

#ifndef RUN_DIR
#define RUN_DIR "/run/dockersh"
#endif
#ifndef LIBEXEC_DIR
#define LIBEXEC_DIR "/usr/local/libexec"
#endif

#define SOCKET_PATH RUN_DIR "/dockershd.sock"
#define LOCK_PATH RUN_DIR "/dockershd.lock" /* stays until the next boot where a service has run */
#define SESSION_PROGRAM LIBEXEC_DIR "/dockershd-session"

#endif
