#!/bin/sh
# Places what `make build` made: packaging/install_files.sh DESTDIR PREFIX
# With a DESTDIR nothing outside of it is written. Running it again changes nothing; a config that is there stays.
set -eu

destdir=$1
prefix=$2
cd "$(dirname "$0")/.."
library=$destdir$prefix/lib/srvaudit

# place MODE SOURCE TARGET: an own copy under a new name first, so that nobody ever runs half a file.
place() {
  mkdir -p "$(dirname "$3")"
  install -m "$1" "$2" "$3.new"
  mv -f "$3.new" "$3"
}

# placed_text FILE: a file's text with this PREFIX in it.
placed_text() {
  sed "s|/usr/lib/srvaudit|$prefix/lib/srvaudit|g" "$1"
}

# place_text SOURCE TARGET: a file that names /usr/lib/srvaudit.
place_text() {
  mkdir -p "$(dirname "$2")"
  placed_text "$1" > "$2.new"
  chmod 644 "$2.new"
  mv -f "$2.new" "$2"
}

# add_block SOURCE TARGET: the source's text at the target's end, between marks; an earlier one is replaced.
add_block() {
  mkdir -p "$(dirname "$2")"
  {
    if [ -e "$2" ]; then sed '/^# >>> srvaudit >>>$/,/^# <<< srvaudit <<<$/d' "$2"; fi
    echo '# >>> srvaudit >>>'
    placed_text "$1"
    echo '# <<< srvaudit <<<'
  } > "$2.srvaudit"
  # Its owner and mode stay what they are: the text alone is written anew.
  if [ ! -e "$2" ]; then
    install -m 644 /dev/null "$2"
  fi
  cmp -s "$2.srvaudit" "$2" || cat "$2.srvaudit" > "$2"
  rm -f "$2.srvaudit"
}

# system_file NAME...: the first of these that this system has, or the first of all: distributions name them differently.
system_file() {
  for name; do
    if [ -e "$destdir$name" ] || [ -e "$name" ]; then
      echo "$destdir$name"
      return
    fi
  done
  echo "$destdir$1"
}

# The programs: one executable, known by the name that it is called by.
place 755 dist/srvaudit "$library/srvaudit"
for program in hello saticket ash_query; do ln -sfn srvaudit "$library/$program"; done
mkdir -p "$destdir$prefix/bin"
for program in srvaudit saticket ash_query; do
  ln -sfn "../lib/srvaudit/$program" "$destdir$prefix/bin/$program"
done
# GNU hello has the short name already.
ln -sfn ../lib/srvaudit/hello "$destdir$prefix/bin/hello-srvaudit"

# The shells' hooks, and how the system's startup files bring them in.
(cd src/shell && find . -type f ! -path './snippets/*') | while read -r file; do
  place_text "src/shell/$file" "$library/shell/${file#./}"
done
place_text src/shell/snippets/profile.sh "$destdir/etc/profile.d/srvaudit.sh"
add_block src/shell/snippets/bashrc.bash "$(system_file /etc/bash.bashrc /etc/bashrc)"
add_block src/shell/snippets/zshrc.zsh "$(system_file /etc/zsh/zshrc /etc/zshrc)"
add_block src/shell/snippets/zshenv.zsh "$(system_file /etc/zsh/zshenv /etc/zshenv)"
# Not a file in conf.d: one of the same name in the user's own would be read in its place.
add_block src/shell/snippets/config.fish "$destdir/etc/fish/config.fish"

# The shipped queries, and the config and the mask: they may hold secrets, and what an admin wrote there stays.
place 644 src/queries "$library/queries"
for file in config mask; do
  if [ ! -e "$destdir/etc/srvaudit/$file" ]; then place 640 "packaging/$file" "$destdir/etc/srvaudit/$file"; fi
done

# The agent's unit, what systemd-tmpfiles and logrotate do for it, and how it starts where there is no systemd.
place_text packaging/systemd/srvaudit.service "$destdir$prefix/lib/systemd/system/srvaudit.service"
place 644 packaging/systemd/srvaudit.tmpfiles "$destdir$prefix/lib/tmpfiles.d/srvaudit.conf"
place 644 packaging/logrotate/srvaudit "$destdir/etc/logrotate.d/srvaudit"
place_text packaging/sysv/srvaudit "$library/init/srvaudit"
chmod 755 "$library/init/srvaudit"

# What people read, and what completes what they type.
for page in docs/man/*.[1-8]; do
  [ -e "$page" ] || continue
  place 644 "$page" "$destdir$prefix/share/man/man${page##*.}/${page##*/}"
done
# By the name that is typed, too.
ln -sfn hello.1 "$destdir$prefix/share/man/man1/hello-srvaudit.1"
for page in README.md LICENSE docs/*.md docs/*.schema.json; do
  [ -e "$page" ] || continue
  place 644 "$page" "$destdir$prefix/share/doc/srvaudit/${page##*/}"
done
# Debian keeps site-functions under /usr/local for its admins; what is packaged has a folder of its own.
zsh_functions=$prefix/share/zsh/site-functions
if [ "$prefix" = /usr ] && [ -e /etc/debian_version ]; then zsh_functions=/usr/share/zsh/vendor-completions; fi
for file in completions/*; do
  [ -e "$file" ] || continue
  name=${file##*/}
  name=${name%.*}
  # By the name that is typed.
  if [ "$name" = hello ]; then name=hello-srvaudit; fi
  case $file in
    *.bash) place 644 "$file" "$destdir$prefix/share/bash-completion/completions/$name" ;;
    *.zsh) place 644 "$file" "$destdir$zsh_functions/_$name" ;;
    *.fish) place 644 "$file" "$destdir$prefix/share/fish/vendor_completions.d/$name.fish" ;;
  esac
done
