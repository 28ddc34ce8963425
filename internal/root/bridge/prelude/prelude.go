// Package prelude has what runs in a container before a program that the engine's exec starts: text in
// the language of every shell, its arguments, and its report.
package prelude

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/remotecmd"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Shell is the only program that the bridge needs in the container.
const Shell = "/bin/sh"

// script runs in the container, as the session's user, and becomes the session's
// program. Before that it does what the engine's API cannot: it tries the
// directories, checks that the program exists, makes the kernel prefer to kill it for
// memory, as an agent does, and writes its process number, by which the session can be
// signalled. Then it waits for a line of input. So nothing
// of the user runs before the terminal has its size, nor after the front was told
// that there is no session; and a first line that is not the prelude's own is an
// error of the runtime, which the engine sends as the program's output.
//
// Its arguments are a mark, the directory that was asked for, whether the words of the
// program are escaped, what it inherits of the login (inheritedWords), the program that a
// client's command asks for with the places where the container may have it, and the program
// with its arguments. It uses only what is built into every shell, and nice(1) for a nice value
// if the container has it.
const script = `
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
dockersh_n=
for dockersh_d in $4; do
	dockersh_l=${dockersh_d%%:*} dockersh_d=${dockersh_d#*:}
	case $dockersh_l in
	umask) umask "$dockersh_d" ;;
	nice) command -v nice && dockersh_n=$dockersh_d ;;
	*)
		for dockersh_h in S H; do
			[ -z "${dockersh_d%:*}" ] || ulimit -$dockersh_h$dockersh_l "${dockersh_d%:*}" ||
				[ $dockersh_l != u ] || ulimit -${dockersh_h}p "${dockersh_d%:*}"
			dockersh_d=${dockersh_d#*:}
		done ;;
	esac
done >/dev/null 2>&1
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
[ -z "$dockersh_n" ] || set -- nice -n "$dockersh_n" "$@"
unset dockersh_s dockersh_i dockersh_d dockersh_c dockersh_n dockersh_l dockersh_h OLDPWD
exec "$@"
`

// Codes of a report, besides the number of the directory that could not be entered.
const (
	NoProgram  = 127
	NotProgram = 126
)

// KillScript sends signals to a session, as its own user. Its arguments are the
// process number, that of the parent, and the signals for kill(1). The number may
// have become another process's; but only programs that an exec started have that
// parent.
const KillScript = `
read -r dockersh_l </proc/"$1"/stat || exit 0
dockersh_p=$1 dockersh_q=$2
shift 2
dockersh_k=$*
set -- ${dockersh_l##*) }
[ "$2" = "$dockersh_q" ] || exit 0
for dockersh_s in $dockersh_k; do kill -"${dockersh_s%:*}" "${dockersh_s#*:}$dockersh_p"; done
exit 0
`

// Argv returns the arguments with which the prelude becomes the session's program. A
// login shell gets -l: the engine's API cannot set argv[0].
func Argv(mark string, m *wire.Start) []string {
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
	return append([]string{Shell, "-c", script, "dockersh", mark, m.Cwd, escaped, inheritedWords(m.Inherited), places}, words...)
}

// ulimits are the limits that the ulimit of every shell knows, with its letter and unit. That of
// processes has another letter in some shells.
var ulimits = []struct {
	resource int
	letter   string
	unit     uint64
}{
	{unix.RLIMIT_CPU, "t", 1}, {unix.RLIMIT_FSIZE, "f", 512}, {unix.RLIMIT_DATA, "d", 1024}, {unix.RLIMIT_STACK, "s", 1024},
	{unix.RLIMIT_CORE, "c", 512}, {unix.RLIMIT_MEMLOCK, "l", 1024}, {unix.RLIMIT_NOFILE, "n", 1}, {unix.RLIMIT_AS, "v", 1024},
	{unix.RLIMIT_NPROC, "u", 1},
}

// inheritedWords writes what a session inherits of the login for the prelude: umask:0022, nice:5,
// and for each limit that there is LETTER:SOFT:HARD. A limit above that of the container is
// refused by the kernel, and left as it is.
func inheritedWords(in *wire.Inherited) string {
	if in == nil {
		return ""
	}
	words := []string{fmt.Sprintf("umask:%04o", in.Umask)}
	if in.Nice > 0 {
		words = append(words, fmt.Sprintf("nice:%d", in.Nice))
	}
	for _, u := range ulimits {
		number := func(n uint64) string {
			if n == limits.Unlimited {
				return ""
			}
			return strconv.FormatUint(n/u.unit, 10)
		}
		if l := in.Limits[u.resource]; l.Hard != limits.Unlimited || l.Soft != limits.Unlimited {
			words = append(words, u.letter+":"+number(l.Soft)+":"+number(l.Hard))
		}
	}
	return strings.Join(words, " ")
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

// Env returns the session's environment, to be added to the container's own.
func Env(task *wire.Bridge, m *wire.Start) []string {
	return append([]string{"USER=" + task.User, "LOGNAME=" + task.User, "HOME=" + task.Home}, m.Env...)
}

// Report is what the prelude writes.
type Report struct {
	PID, Parent int
	Code        int // of a program that cannot be run, or the number of a directory
}

// ParseReport reads the first line of output; ok is false if the prelude did not
// write it.
func ParseReport(line, mark string) (r Report, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\r"), " ")
	if len(f) != 4 || f[0] != mark {
		return r, false
	}
	for i, to := range []*int{&r.PID, &r.Parent, &r.Code} {
		n, err := strconv.Atoi(f[i+1])
		if err != nil || n < 0 {
			return r, false
		}
		*to = n
	}
	return r, r.PID > 0
}
