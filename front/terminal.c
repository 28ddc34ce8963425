#include "terminal.h"

#include <sys/ioctl.h>

int
is_terminal(int fd)
{
	modes m;

	return get_modes(fd, &m) == 0;
}

int
get_modes(int fd, modes *m)
{
	*m = (modes){ 0 };
	return ioctl(fd, TCGETS, m);
}

int
set_modes(int fd, const modes *m)
{
	return ioctl(fd, TCSETS, m);
}

modes
raw_modes(modes m)
{
	m.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	m.c_oflag &= ~(tcflag_t)OPOST;
	m.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	m.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	m.c_cflag |= CS8;
	m.c_cc[VMIN] = 1;
	m.c_cc[VTIME] = 0;
	return m;
}

struct size
get_size(int fd)
{
	struct winsize w = { 0 };

	ioctl(fd, TIOCGWINSZ, &w);
	return (struct size){ w.ws_row, w.ws_col };
}

void
set_size(int fd, struct size s)
{
	struct winsize w = { .ws_row = s.rows, .ws_col = s.cols };

	ioctl(fd, TIOCSWINSZ, &w);
}

int
is_master(int fd)
{
	unsigned number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}
