# bash completion for dockershctl(8)
_dockershctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} options='' words=''
	local commands=' ls sessions stop start restart apply reset rm commit kick message top metrics watch replay explain check doctor sshd-config version help '
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		return
	fi
	case $prev in
	--user | --login) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
	--group) mapfile -t COMPREPLY < <(compgen -g -- "$cur"); return ;;
	--client | --accept | --since | --speed | --idle-limit) return ;;
	esac
	case $command in
	ls) options='--json --quiet --size' ;;
	sessions) options='--json --quiet --history --user --since' ;;
	stop | restart | apply) options='--user --all' ;;
	start) options='--user --group --all' ;;
	reset) options='--user --all --yes' ;;
	rm) options='--user --all --force --yes' ;;
	kick | message) options='--user --all' ;;
	explain) options='--client --json' ;;
	check) options='--engine --json' ;;
	doctor) options='--json --accept --login --no-login' ;;
	sshd-config) options='--group --pam --keys' ;;
	metrics) options='--textfile' ;;
	replay) options='--speed --idle-limit' ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur")
		return
	fi
	# Only root gets these names.
	case $command in
	stop | start | restart | apply | reset | rm) words=$(dockershctl ls -q 2>/dev/null) ;;
	commit) [[ $COMP_CWORD -eq 2 ]] && words=$(dockershctl ls -q 2>/dev/null) ;;
	kick | message | watch) words=$(dockershctl sessions -q 2>/dev/null; dockershctl ls -q 2>/dev/null) ;;
	help) words=$commands ;;
	explain | doctor | sshd-config)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	check | replay)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _dockershctl dockershctl
