#!/bin/sh
# Compiles the SELinux module: packaging/selinux/build.sh OUTDIR makes OUTDIR/srvaudit.pp.
# Needs checkmodule and semodule_package (Debian: checkpolicy, semodule-utils; the RHEL family: checkpolicy, policycoreutils).
set -eu

out=$1
here=$(cd "$(dirname "$0")" && pwd)

for program in checkmodule semodule_package; do
  command -v "$program" > /dev/null || {
    echo "selinux/build.sh: no $program here: install checkpolicy and semodule-utils (RHEL family: policycoreutils)" >&2
    exit 1
  }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 19 is the newest format that libsepol 2.9 reads: RHEL 8's.
checkmodule -M -m -c 19 -o "$work/srvaudit.mod" "$here/srvaudit.te"
# gen_context(CONTEXT,LEVEL) is the policies' own way to write it, which their macros make CONTEXT:LEVEL of.
sed -E -e '/^#/d' -e '/^$/d' -e 's/gen_context\(([^,]*),([^)]*)\)/\1:\2/' "$here/srvaudit.fc" > "$work/srvaudit.fc"
mkdir -p "$out"
semodule_package -o "$work/srvaudit.pp" -m "$work/srvaudit.mod" -f "$work/srvaudit.fc"
chmod 644 "$work/srvaudit.pp"
mv -f "$work/srvaudit.pp" "$out/srvaudit.pp"
