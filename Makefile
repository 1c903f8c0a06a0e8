# Targets for building and testing. `make test` first installs the programs that the tests need, if it is allowed to.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
AXE = axe-core@4.14.1
DEADCODE = golang.org/x/tools/cmd/deadcode@v0.52.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build dist check test lint bench demo needs fuzz trust

build:
	$(GO) generate ./internal/pdf
	GO=$(GO) deploy/build.sh bin/dibao

# Build the files of a release for all platforms, in dist/.
dist:
	GO=$(GO) deploy/dist.sh

demo:
	$(GO) run ./cmd/dibao demo

# The race detector needs cgo; the program does not. Because it makes code several times slower,
# these run without it: tests of cost and of much data (COST), packages without shared state (PURE),
# and tests that start dibao as a process (cmd/dibao; its tests of the daemon inside the test process run with it).
COST = (TestCostOf|TestListCosts|FuzzCost|TestFormatting|TestHostileFeedsLock|TestSearchAgainstScan|TestAnythingCompared|TestCrowdOf)
PURE = ^dibao/(policy|cmd/dibao$$|digest/verdict|feed/(ingest|publish)|templates$$|internal/(costtest|markup|rows|redact|pdf|filetext))
test: needs
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 30m -skip '^$(COST)' $$($(GO) list ./... | grep -vE '$(PURE)')
	CGO_ENABLED=1 $(GO) test -race -timeout 20m -run '^Test(Serve|DemoGoes|API)' ./cmd/dibao
	$(GO) test -shuffle=on -timeout 20m $$($(GO) list ./... | grep -E '$(PURE)')
	$(GO) generate ./internal/pdf && $(GO) test -tags packedpdf ./internal/pdf
	$(GO) test -timeout 20m -run '^$(COST)' $$(grep -rlE '^func $(COST)' --include=*_test.go . | xargs dirname | sort -u | sed 's,^\./,dibao/,' | grep -vE '$(PURE)')

# A quick check with Go alone: without the tests that start processes, databases or servers.
check:
	@test -z "$$(gofmt -l .)" || { echo "these files are not formatted by gofmt:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) test $$($(GO) list ./... | grep -vE '^dibao/(cmd/dibao|digest|feed|feed/(collect|hub|search|site)|subscribers|internal/(browser|database|inbox|jobs|trust|web))$$')

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

lint:
	@test -z "$$(gofmt -l .)" || { echo "these files are not formatted by gofmt:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	@dead=$$($(GO) run $(DEADCODE) -test ./...) && [ -z "$$dead" ] || { echo "neither the program nor a test calls these functions:"; echo "$$dead"; exit 1; }
	@$(GO) run $(GOVULNCHECK) ./... > .govulncheck.log 2>&1; status=$$?; \
	if grep -qE 'no such host|connection refused|dial tcp|Forbidden|server (response|error)|403|fetching vulnerabilities' .govulncheck.log && [ $$status -ne 0 ]; then \
		echo "govulncheck: left out, its database can't be reached from here"; rm -f .govulncheck.log; \
	else cat .govulncheck.log; rm -f .govulncheck.log; exit $$status; fi

# Run each fuzz target for FUZZTIME: make fuzz FUZZTIME=10m
FUZZTIME ?= 20s
fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; done; done

# Install the programs that the tests need. If that is not allowed, the tests say what they
# skip; with CI=true that is a failure.
needs:
	@missing=""; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	[ "$$(uname)" != Linux ] || command -v strace >/dev/null || missing="$$missing strace"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	fc-list 2>/dev/null | grep -q 'Noto.*CJK' || ls /usr/share/fonts/opentype/noto/*CJK* >/dev/null 2>&1 || missing="$$missing fonts-noto-cjk"; \
	/usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null || missing="$$missing python3-dkim python3-nacl"; \
	[ -x /usr/sbin/postfix ] || missing="$$missing postfix"; \
	[ -x /usr/lib/dovecot/imap ] && [ -x /usr/lib/dovecot/lmtp ] || missing="$$missing dovecot-imapd dovecot-lmtpd"; \
	[ -x /usr/sbin/opendkim ] || missing="$$missing opendkim"; \
	[ -x /usr/sbin/postgrey ] || missing="$$missing postgrey"; \
	[ -x /usr/bin/rspamd ] || missing="$$missing rspamd"; \
	command -v spamassassin >/dev/null || missing="$$missing spamassassin"; \
	[ ! -f /etc/debian_version ] || command -v debootstrap >/dev/null || missing="$$missing debootstrap"; \
	[ ! -f /etc/debian_version ] || command -v lintian >/dev/null || missing="$$missing lintian"; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "left out: tests that need$$missing (not root, or no apt-get)"; \
		[ "$$CI" != true ]; \
	fi
	@cache="$${XDG_CACHE_HOME:-$$HOME/.cache}/dibao-tests"; \
	[ -f "$$cache/node_modules/axe-core/axe.min.js" ] || \
	npm install --prefix "$$cache" --no-audit --no-fund --no-save --loglevel=error $(AXE) >/dev/null || \
	{ echo "left out: the check of the pages by $(AXE)"; [ "$$CI" != true ]; }
	@[ ! -f /etc/debian_version ] || [ "$$(id -u)" != 0 ] || deploy/debian-root.sh || \
	{ echo "left out: the installation of the .deb"; [ "$$CI" != true ]; }

# Run every command of the table in docs/trust.md and print one line for each figure.
# This takes up to an hour on 2 cores.
trust: needs
	$(GO) run ./internal/trust/cmd/trust
