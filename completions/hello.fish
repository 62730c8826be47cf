# fish completion for hello. Goes to /usr/share/fish/vendor_completions.d/hello-srvaudit.fish, the name that it is installed by.

for name in hello hello-srvaudit
    complete -c $name -s c -x -a '(__fish_complete_command)' -d 'run a command, on record'
    complete -c $name -s i -d 'an interactive shell'
    complete -c $name -s l -d 'a login shell'
    complete -c $name -n 'test (count (commandline -opc)) -eq 1' -l help -d 'show help'
    complete -c $name -n 'test (count (commandline -opc)) -eq 1' -l version -d 'show the version'
end
