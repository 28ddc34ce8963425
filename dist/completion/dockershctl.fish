# fish completion for dockershctl(8): the program itself knows what fits
function __dockershctl_complete
    dockershctl __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null
end
complete -c dockershctl -f
complete -c dockershctl -n '__dockershctl_complete | string match -q :files' -F
complete -c dockershctl -a '(__dockershctl_complete | string match -v :files)'
