# fish completion for dockershctl(8)
set -l first 'not __fish_seen_subcommand_from ls explain check version help'
complete -c dockershctl -f
complete -c dockershctl -n "$first" -a ls -d 'list the containers that dockersh made'
complete -c dockershctl -n "$first" -a explain -d 'show every effective setting of a user with its origin'
complete -c dockershctl -n "$first" -a check -d 'check a settings file'
complete -c dockershctl -n "$first" -a version -d 'show the version'
complete -c dockershctl -n "$first" -a help -d 'list the commands'
complete -c dockershctl -n '__fish_seen_subcommand_from ls explain check' -l json -d 'as JSON'
complete -c dockershctl -n '__fish_seen_subcommand_from explain' -a '(__fish_complete_users)'
complete -c dockershctl -n '__fish_seen_subcommand_from check' -F
