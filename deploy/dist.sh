#!/usr/bin/env bash
# Builds the files of a release into dist/: archives for each platform, .deb and .rpm,
# the software bill of materials (SBOM), third-party notices and checksums. The same commit gives
# the same bytes. PLATFORMS, if set, lists the platforms to build for.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
sbom="$go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"
# linux/arm is left out: the queue's SQLite driver fails on 32 bits.
platforms=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 windows/amd64}
version=$(git describe --tags --match 'v*' --always --dirty 2>/dev/null | sed 's/^v//')
case $version in [0-9]*.[0-9]*) ;; *) version=0.0.0-$version ;; esac
epoch=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH=$epoch
rm -rf dist && mkdir -p dist/stage
stage=dist/stage

# Manual pages, completion and notices are the same on each platform: a program built for this one writes them.
$go generate ./internal/pdf
deploy/build.sh $stage/native
deploy/texts.sh $stage/native $stage "$version"

archive() { # archive NAME FOLDER: reproducible
	tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -C "$2" -cf - . | gzip -9n > "dist/$1.tar.gz"
}
for platform in $platforms; do
	os=${platform%/*} arch=${platform#*/}
	name=dibao_${version}_${os}_${arch}
	into=$stage/$name && mkdir -p "$into"
	exe=dibao; [ "$os" != windows ] || exe=dibao.exe
	echo "building $name"
	GOOS=$os GOARCH=$arch deploy/build.sh "$into/$exe"
	cp -r LICENSE README.md config.toml $stage/NOTICES.txt $stage/man $stage/completions "$into/"
	mkdir -p "$into/deploy/kubernetes"
	cp deploy/{Caddyfile,Dockerfile,alerts.yaml,compose.yaml,grafana.json,nginx.conf} "$into/deploy/"
	cp deploy/kubernetes/* "$into/deploy/kubernetes/"
	archive "$name" "$into"
	if [ "$os" = linux ]; then
		cp "$into/dibao" $stage/dibao
		for kind in deb rpm; do
			deploy/pack.sh $kind $stage "$arch" "$version" dist/
		done
	fi
done
$sbom bin -json -licenses -version "$version" -output dist/dibao_"$version"_sbom.json $stage/native
rm -rf $stage
(cd dist && sha256sum -- * > SHA256SUMS)
ls -l dist
