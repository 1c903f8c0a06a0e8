#!/usr/bin/env bash
# Writes into STAGE what packages contain besides the program: texts.sh PROGRAM STAGE VERSION.
# PROGRAM must run on this machine; SOURCE_DATE_EPOCH is the date of the version.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 stage=$2 version=$3
go=${GO:-go}
mkdir -p "$stage/man" "$stage/completions"
"$program" man "$stage/man"
gzip -9nf "$stage"/man/*.1
"$program" completion bash > "$stage/completions/dibao.bash"
"$program" completion zsh > "$stage/completions/_dibao"
"$program" completion fish > "$stage/completions/dibao.fish"
$go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/dibao | sort -u |
while read -r path v dir; do
	printf '%s\n%s %s\n\n' "----------------------------------------------------------------" "$path" "$v"
	find "$dir" -maxdepth 1 -type f \( -iname 'licen*' -o -iname 'copying*' -o -iname 'notice*' \) | sort | xargs -r cat
	echo
done > "$stage/NOTICES.txt"
# Once installed, the database is in /var/lib/dibao, in whatever folder a command runs.
sed 's|^# url = "sqlite:dibao.db"|url = "sqlite:/var/lib/dibao/dibao.db"|' config.toml > "$stage/config.toml"
grep -q '^url = ' "$stage/config.toml"
{
	printf 'dibao (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n' "${version/-/\~}"
	printf ' -- %s  %s\n' "${MAINTAINER:-dibao <dibao@localhost>}" "$(date -u -R -d "@${SOURCE_DATE_EPOCH:-0}")"
} | gzip -9n > "$stage/changelog.gz"
gzip -9n < CHANGELOG.md > "$stage/CHANGELOG.md.gz"
