#!/usr/bin/env bash
# Builds the program as releases contain it: deploy/build.sh FILE. TAGS=nopdf leaves out the reading of PDF
# files; GOOS and GOARCH choose the platform.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
# Packages whose speed does not matter are compiled without inlining, which makes the program smaller.
cold="dibao/cmd/... dibao/digest/agenda dibao/digest/channel dibao/digest/inbound dibao/digest/pages dibao/digest/stars
	dibao/feed/catalog dibao/feed/hub dibao/feed/sourcelist dibao/internal/certificates dibao/internal/browser
	dibao/internal/config dibao/internal/inbox dibao/internal/nodes dibao/internal/trace dibao/internal/jobs
	github.com/emersion/... github.com/prometheus/... github.com/temoto/... github.com/chromedp/...
	github.com/go-json-experiment/... github.com/jedib0t/... github.com/lib/pq/... github.com/pelletier/...
	github.com/pressly/... github.com/riverqueue/... github.com/spf13/... github.com/tidwall/... github.com/vbauerster/...
	github.com/yuin/goldmark/... go.yaml.in/... golang.org/x/crypto/acme/..."
flags=()
for packages in $cold; do flags+=("-gcflags=$packages=-l"); done
CGO_ENABLED=0 $go build -trimpath -tags "${TAGS:-packedpdf}" "${flags[@]}" -ldflags "-s -w -funcalign=16" -o "$1" ./cmd/dibao
