package bridge

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dockersh/dockersh/internal/proto/remotecmd"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// shell is the only program that the bridge needs in the container.
const shell = "/bin/sh"

// prelude runs in the container, as the session's user, and becomes the session's
// program. Before that it does what the engine's API cannot: it tries the
// directories, checks that the program exists, makes the kernel prefer to kill it for
// memory, as an agent does, and writes its process number, by which the session can be
// signalled. Then it waits for a line of input. So nothing
// of the user runs before the terminal has its size, nor after the front was told
// that there is no session; and a first line that is not the prelude's own is an
// error of the runtime, which the engine sends as the program's output.
//
// Its arguments are a mark, the directory that was asked for, whether the words of the
// program are escaped, the umask or nothing, the program that a client's command asks for
// with the places where the container may have it, and the program with its arguments. It
// uses only what is built into every shell.
const prelude = `
dockersh_s=0 dockersh_i=0
for dockersh_d in "$2" "$HOME" /; do
	dockersh_i=$((dockersh_i+1))
	case $dockersh_d in
	/*) cd "$dockersh_d" 2>/dev/null && break
		[ $dockersh_s != 0 ] || dockersh_s=$dockersh_i ;;
	esac
done
if [ ! -e "$6" ]; then dockersh_s=127
elif [ -d "$6" ] || [ ! -x "$6" ]; then dockersh_s=126
fi
dockersh_c=${5%%:*}
IFS=:
for dockersh_d in ${5#*:}; do
	case $dockersh_d in
	/*) [ -f "${dockersh_d%% *}" ] && [ -x "${dockersh_d%% *}" ] ;;
	*) command -v "$dockersh_d" >/dev/null 2>&1 ;;
	esac && dockersh_c=$dockersh_d && break
done
unset IFS
[ -z "$SSH_TTY" ] || unset SSH_TTY
if [ -n "$SSH_CONNECTION" ] && [ -t 0 ]; then
	SSH_TTY=$(tty 2>/dev/null) && export SSH_TTY || unset SSH_TTY
fi
{ echo 100 >/proc/self/oom_score_adj; } 2>/dev/null
echo "$1 $$ $PPID $dockersh_s"
[ $dockersh_s -lt 126 ] && read -r dockersh_d || exit 1
dockersh_i=0
[ -z "$3" ] || dockersh_i=$(($#-5))
[ -z "$4" ] || umask "$4"
shift 5
while [ $dockersh_i -gt 0 ]; do
	dockersh_d=$(printf '%bx' "$1")
	shift
	set -- "$@" "${dockersh_d%x}"
	dockersh_i=$((dockersh_i-1))
done
case $dockersh_c:$2 in
:*) ;;
*:-l) set -- "$1" -l -c "$dockersh_c$4" ;;
*) set -- "$1" -c "$dockersh_c$3" ;;
esac
unset dockersh_s dockersh_i dockersh_d dockersh_c OLDPWD
exec "$@"
`

// Codes of a report, besides the number of the directory that could not be entered.
const (
	noProgram  = 127
	notProgram = 126
)

// killScript sends signals to a session, as its own user. Its arguments are the
// process number, that of the parent, and the signals for kill(1). The number may
// have become another process's; but only programs that an exec started have that
// parent.
const killScript = `
read -r dockersh_l </proc/"$1"/stat || exit 0
dockersh_p=$1 dockersh_q=$2
shift 2
dockersh_k=$*
set -- ${dockersh_l##*) }
[ "$2" = "$dockersh_q" ] || exit 0
for dockersh_s in $dockersh_k; do kill -"${dockersh_s%:*}" "${dockersh_s#*:}$dockersh_p"; done
exit 0
`

// argv returns the arguments with which the prelude becomes the session's program. A
// login shell gets -l: the engine's API cannot set argv[0].
func argv(mark string, m *wire.Start) []string {
	words := []string{m.Path}
	if strings.HasPrefix(m.Argv[0], "-") {
		words = append(words, "-l")
	}
	words = append(words, m.Argv[1:]...)
	places := ""
	if command, ok := remotecmd.Of(m.Argv); ok {
		if c, _ := remotecmd.Parse(command); len(c.Places) > 0 {
			places = c.Asked + ":" + strings.Join(c.Places, ":")
			words[len(words)-1] = c.Rest
		}
	}
	escaped := ""
	if !utf8.ValidString(strings.Join(words[1:], "")) {
		// The engine's API is JSON, which can carry nothing but UTF-8.
		escaped = "yes"
		for i := range words {
			words[i] = escape(words[i])
		}
	}
	umask := ""
	if m.Inherited != nil {
		umask = fmt.Sprintf("%04o", m.Inherited.Umask)
	}
	return append([]string{shell, "-c", prelude, "dockersh", mark, m.Cwd, escaped, umask, places}, words...)
}

// escape writes bytes as %b of printf(1) reads them.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c == '\\' || c >= utf8.RuneSelf {
			fmt.Fprintf(&b, `\0%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// env returns the session's environment, to be added to the container's own.
func env(task *wire.Bridge, m *wire.Start) []string {
	return append([]string{"USER=" + task.User, "LOGNAME=" + task.User, "HOME=" + task.Home}, m.Env...)
}

// report is what the prelude writes.
type report struct {
	pid, parent int
	code        int // of a program that cannot be run, or the number of a directory
}

// parseReport reads the first line of output; ok is false if the prelude did not
// write it.
func parseReport(line, mark string) (r report, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\r"), " ")
	if len(f) != 4 || f[0] != mark {
		return r, false
	}
	for i, to := range []*int{&r.pid, &r.parent, &r.code} {
		n, err := strconv.Atoi(f[i+1])
		if err != nil || n < 0 {
			return r, false
		}
		*to = n
	}
	return r, r.pid > 0
}
