#!/bin/sh
# Places what `make build` made: packaging/install_files.sh DESTDIR PREFIX [debian|redhat|any]
# Only files that are srvAudit's alone: what is others' `srvaudit install` edits. The last word says for which
# distributions' zsh; otherwise for this machine's. Ends by writing the manifest of what it has placed, which names no
# DESTDIR. The same sources give the same bytes.
set -eu
umask 022

destdir=$1
prefix=$2
if [ -e /etc/debian_version ]; then here=debian; else here=redhat; fi
family=${3:-$here}
cd "$(dirname "$0")/.."
library=$prefix/lib/srvaudit
placed=$(mktemp)
trap 'rm -f "$placed"' EXIT

# put MODE PATH: stdin as a file, under a new name first: nobody ever runs half a file.
put() {
  mkdir -p "$destdir$(dirname "$2")"
  cat > "$destdir$2.new"
  chmod "$1" "$destdir$2.new"
  mv -f "$destdir$2.new" "$destdir$2"
  printf 'file\t%s\t%s\t%s\n' "$1" "$(sha256sum < "$destdir$2" | cut -d ' ' -f 1)" "$2" >> "$placed"
}

# place MODE SOURCE PATH
place() {
  put "$1" "$3" < "$2"
}

# place_text MODE SOURCE PATH: a file that names /usr/lib/srvaudit.
place_text() {
  sed "s|/usr/lib/srvaudit|$library|g" "$2" | put "$1" "$3"
}

# place_link TARGET PATH
place_link() {
  mkdir -p "$destdir$(dirname "$2")"
  ln -sfn "$1" "$destdir$2"
  printf 'link\t-\t%s\t%s\n' "$1" "$2" >> "$placed"
}

# The programs: one executable, known by the name that it is called by.
place 755 dist/srvaudit "$library/srvaudit"
for program in hello saticket ash_query; do place_link srvaudit "$library/$program"; done
for program in srvaudit saticket ash_query; do place_link "../lib/srvaudit/$program" "$prefix/bin/$program"; done
# GNU hello has the short name already.
place_link ../lib/srvaudit/hello "$prefix/bin/hello-srvaudit"

# The shells' hooks, and what brings them in: snippets/ holds what `srvaudit install` adds to files of others.
(cd src/shell && find . -type f) | while read -r file; do
  file=${file#./}
  case $file in
    snippets/*) place_text 644 "src/shell/$file" "$library/$file" ;;
    *) place_text 644 "src/shell/$file" "$library/shell/$file" ;;
  esac
done
place_text 644 src/shell/snippets/profile.sh /etc/profile.d/srvaudit.sh

# The shipped queries, and what the config and the mask are where an admin has written none.
place 644 src/queries "$library/queries"
for file in config mask; do place 644 "packaging/$file" "$library/defaults/$file"; done

# The agent's unit, what systemd-tmpfiles and logrotate do for it, and how it starts where there is no systemd.
for unit in packaging/systemd/*.service; do
  place_text 644 "$unit" "$prefix/lib/systemd/system/${unit##*/}"
done
# It is for whatever a restart of the machine finds unconfirmed: there is nothing to be enabled.
place_link ../srvaudit-put-back.service "$prefix/lib/systemd/system/multi-user.target.wants/srvaudit-put-back.service"
place 644 packaging/systemd/srvaudit.tmpfiles "$prefix/lib/tmpfiles.d/srvaudit.conf"
place 644 packaging/logrotate/srvaudit /etc/logrotate.d/srvaudit
place_text 755 packaging/sysv/srvaudit "$library/init/srvaudit"

# What the SELinux policy of a host that has one is to know of it: packaging/selinux/build.sh dist/selinux makes it.
if [ "$family" != debian ] && [ -e dist/selinux/srvaudit.pp ]; then
  place 644 dist/selinux/srvaudit.pp /usr/share/selinux/packages/srvaudit.pp
fi

# What people read, and what completes what they type.
for page in docs/man/*.[1-8]; do
  gzip --no-name --best < "$page" | put 644 "$prefix/share/man/man${page##*.}/${page##*/}.gz"
done
# By the name that is typed, too.
place_link hello.1.gz "$prefix/share/man/man1/hello-srvaudit.1.gz"
for page in README.md LICENSE docs/*.md docs/*.schema.json; do
  [ -e "$page" ] || continue
  place 644 "$page" "$prefix/share/doc/srvaudit/${page##*/}"
done
for file in completions/*; do
  name=${file##*/}
  name=${name%.*}
  # By the name that is typed.
  if [ "$name" = hello ]; then name=hello-srvaudit; fi
  case $file in
    *.bash) place 644 "$file" "$prefix/share/bash-completion/completions/$name" ;;
    *.fish) place 644 "$file" "$prefix/share/fish/vendor_completions.d/$name.fish" ;;
    *.zsh)
      # Debian keeps site-functions for its admins, and has a folder of its own for what is packaged.
      if [ "$family" != debian ]; then place 644 "$file" "$prefix/share/zsh/site-functions/_$name"; fi
      if [ "$family" != redhat ]; then place 644 "$file" "$prefix/share/zsh/vendor-completions/_$name"; fi
      ;;
  esac
done

LC_ALL=C sort -t "$(printf '\t')" -k 4 "$placed" > "$destdir$library/manifest.new"
mv -f "$destdir$library/manifest.new" "$destdir$library/manifest"
