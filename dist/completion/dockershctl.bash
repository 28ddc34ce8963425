# bash completion for dockershctl(8): the program itself knows what fits
_dockershctl()
{
	local cur words cword lines part
	_get_comp_words_by_ref -n :=@ cur words cword || return
	mapfile -t lines < <(dockershctl __complete "${words[@]:1:cword}" 2>/dev/null)
	if [[ ${lines-} == :files ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	# Readline replaces what stands behind the last of : = @ alone.
	part=${COMP_WORDS[COMP_CWORD]}
	[[ $part != [:=@]* ]] || part=
	COMPREPLY=("${lines[@]%%$'\t'*}")
	COMPREPLY=("${COMPREPLY[@]#"${cur%"$part"}"}")
}
complete -F _dockershctl dockershctl
