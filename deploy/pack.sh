#!/usr/bin/env bash
# Packs the files in STAGE: pack.sh deb|rpm STAGE ARCH VERSION INTO.
# To publish packages, set MAINTAINER to your name and address.
set -euo pipefail
cd "$(dirname "$0")/.."
package=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0
export STAGE=$2 ARCH=$3 VERSION=$4
export MAINTAINER=${MAINTAINER:-dibao <dibao@localhost>}
config=deploy/nfpm.yaml
if [ "$1" = deb ]; then # Debian has the license in a file and not in a field
	config=$2/nfpm.yaml
	grep -v '^license:' deploy/nfpm.yaml > "$config"
fi
${NFPM:-${GO:-go} run $package} package --config "$config" --packager "$1" --target "$5"
