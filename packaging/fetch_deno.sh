#!/bin/sh
# Puts Deno $1 and its runtime half, denort, into the folder $2.
# Deno's CLI is an npm package. denort is what `deno compile` downloads by itself where the network allows; where
# it does not, the same bytes stand at the front of an executable that npm carries (docs/architecture.md, "Build").
set -eu

version=$1
tools=$2
mkdir -p "$tools"
tools=$(cd "$tools" && pwd)

case $(uname -m) in
  x86_64) package=@deno/linux-x64-glibc ;;
  aarch64) package=@deno/linux-arm64-glibc ;;
  *)
    echo "fetch_deno: no Deno for the architecture $(uname -m): build on x86_64 or aarch64" >&2
    exit 1
    ;;
esac

work=$(mktemp -d "$tools/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# unpack PACKAGE@VERSION: npm's own client fetches and checks it, whatever registry this machine is set to.
unpack() {
  (cd "$work" && npm pack --silent --cache "$work/cache" "$1" > /dev/null 2> npm.log) || {
    cat "$work/npm.log" >&2
    echo "fetch_deno: npm could not fetch $1: is the npm registry reachable?" >&2
    exit 1
  }
  (cd "$work" && tar xzf ./*.tgz && rm -f ./*.tgz)
}

if [ "$("$tools/deno" --version 2> /dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p')" != "$version" ]; then
  unpack "$package@$version"
  chmod +x "$work/package/deno"
  mv "$work/package/deno" "$tools/deno"
  rm -rf "$work/package" "$tools/denort"
fi

[ -e "$tools/denort" ] && exit 0

# The official way first: an empty program, compiled, makes Deno download denort and keep it in DENO_DIR.
echo '' > "$work/empty.ts"
if DENO_DIR="$tools/deno_dir" timeout 300 "$tools/deno" compile --quiet --no-config --output "$work/empty" \
  "$work/empty.ts" > /dev/null 2>&1; then
  # Where the download worked, nothing needs to be handed over: an empty mark says so.
  : > "$tools/denort"
  exit 0
fi

if [ "$version $(uname -m)" != "2.4.2 x86_64" ]; then
  echo "fetch_deno: denort $version for $(uname -m) can only be downloaded, and the download failed" >&2
  exit 1
fi
sum=2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82
unpack @vltpkg/cli-linux-x64@0.0.0-18
head -c 85186368 "$work/package/vlt" > "$work/denort"
echo "$sum  $work/denort" | sha256sum --check --quiet || {
  echo "fetch_deno: denort from npm is not the one expected (SHA-256 $sum)" >&2
  exit 1
}
chmod +x "$work/denort"
mv "$work/denort" "$tools/denort"
