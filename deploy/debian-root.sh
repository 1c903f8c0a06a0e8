#!/usr/bin/env bash
# Creates, once, what the test of the .deb needs in the cache of the tests: the files of
# a minimal Debian system, from the package mirror of this machine, and nfpm, which builds packages.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dibao-tests
mkdir -p "$cache"
nfpm=$(sed -n 's/^package=//p' deploy/pack.sh)
[ -x "$cache/nfpm" ] && [ "$(cat "$cache/nfpm.version")" = "$nfpm" ] || {
	GOBIN=$cache ${GO:-go} install "$nfpm"
	echo "$nfpm" > "$cache/nfpm.version"
}
[ ! -f "$cache/debian.tar" ] || exit 0
. /etc/os-release
new=$(mktemp -d "$cache/debian.XXXXXX")
trap 'rm -rf "$new" "$cache/debian.tar.new"' EXIT
chmod 755 "$new"
debootstrap --variant=minbase "$VERSION_CODENAME" "$new" \
	"$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $VERSION_CODENAME" | head -1)" > "$cache/debootstrap.log" ||
	{ tail -5 "$cache/debootstrap.log"; exit 1; }
tar -C "$new" --exclude=./var/cache/apt -cf "$cache/debian.tar.new" .
mv "$cache/debian.tar.new" "$cache/debian.tar"
