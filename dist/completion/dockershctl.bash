# bash completion for dockershctl(8)
_dockershctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W 'ls sessions explain check doctor sshd-config version help' -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
	ls | check)
		if [[ $cur == -* ]]; then
			COMPREPLY=(--json)
			return
		fi
		;;
	sessions)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --quiet' -- "$cur")
			return
		fi
		;;
	explain)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--client --json' -- "$cur")
			return
		fi
		;;
	doctor)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W '--json --accept --login --no-login' -- "$cur")
			return
		fi
		;;
	sshd-config)
		if [[ $cur == -* ]]; then
			COMPREPLY=(--group)
			return
		fi
		if [[ ${COMP_WORDS[COMP_CWORD-1]} == --group ]]; then
			mapfile -t COMPREPLY < <(compgen -g -- "$cur")
			return
		fi
		;;
	esac
	case ${COMP_WORDS[1]} in
	explain | doctor | sshd-config)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	check)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -F _dockershctl dockershctl
