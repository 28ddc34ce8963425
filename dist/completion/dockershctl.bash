# bash completion for dockershctl(8)
_dockershctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W 'ls explain check version help' -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
	ls | explain | check)
		if [[ $cur == -* ]]; then
			COMPREPLY=(--json)
			return
		fi
		;;
	esac
	case ${COMP_WORDS[1]} in
	explain)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		;;
	check)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}
complete -F _dockershctl dockershctl
