# fish completion for dockershctl(8)
set -l first 'not __fish_seen_subcommand_from ls explain check doctor sshd-config version help'
complete -c dockershctl -f
complete -c dockershctl -n "$first" -a ls -d 'list the containers that dockersh made'
complete -c dockershctl -n "$first" -a explain -d 'show every effective setting of a user with its origin'
complete -c dockershctl -n "$first" -a check -d 'check a settings file'
complete -c dockershctl -n "$first" -a doctor -d 'judge the host'
complete -c dockershctl -n "$first" -a sshd-config -d 'print the lines of sshd_config'
complete -c dockershctl -n "$first" -a version -d 'show the version'
complete -c dockershctl -n "$first" -a help -d 'list the commands'
complete -c dockershctl -n '__fish_seen_subcommand_from ls explain check doctor' -l json -d 'as JSON'
complete -c dockershctl -n '__fish_seen_subcommand_from explain doctor sshd-config' -a '(__fish_complete_users)'
complete -c dockershctl -n '__fish_seen_subcommand_from explain' -l client -x -d 'a login from this address'
complete -c dockershctl -n '__fish_seen_subcommand_from doctor' -l accept -x -d 'findings not to tell'
complete -c dockershctl -n '__fish_seen_subcommand_from doctor' -l login -x -a '(__fish_complete_users)' -d 'log this user in'
complete -c dockershctl -n '__fish_seen_subcommand_from doctor' -l no-login -d 'log nobody in'
complete -c dockershctl -n '__fish_seen_subcommand_from sshd-config' -l group -x -a '(__fish_complete_groups)' -d 'the members of a group'
complete -c dockershctl -n '__fish_seen_subcommand_from check' -F
