# The one place that chooses the Deno version: https://docs.deno.com
DENO_VERSION = 2.4.2

PREFIX = /usr
DESTDIR =

TOOLS = .tools/$(DENO_VERSION)
# Deno keeps all of its own in the project's folder, and trusts the certificates that the machine trusts.
export DENO_DIR = $(CURDIR)/$(TOOLS)/deno_dir
export DENO_TLS_CA_STORE = system,mozilla
export DENO_NO_UPDATE_CHECK = 1
DENO = $(CURDIR)/$(TOOLS)/deno
DENORT = $(TOOLS)/denort

SOURCES = $(shell find src -type f)
SHELL_FILES = .ci/run install.sh packaging/sysv/srvaudit $(wildcard packaging/deb/srvaudit.p*) $(shell find packaging tests/support -name '*.sh') $(shell find src/shell completions -type f)

.PHONY: run build test torture check bench soak clean install release deb rpm fmt redmine jira tester

run: build
	@$(DENO) run -A packaging/run.ts

build: dist/srvaudit

$(DENORT): packaging/fetch_deno.sh Makefile
	@packaging/fetch_deno.sh $(DENO_VERSION) $(TOOLS)
	@touch $@

# The hooks and the shipped queries lie beside the executable, as they do where it is installed.
dist/srvaudit: $(DENORT) $(SOURCES) deno.json deno.lock
	@rm -rf dist/js && mkdir -p dist
	$(DENO) bundle --quiet --platform deno --code-splitting --outdir dist/js src/main.ts
	@# Not by bundle's --minify: its esbuild then takes a `using` whose name is used once for any constant, puts the value where the
	@# name stood, and nothing releases it: a lock, a database. So only blanks and names get shorter here.
	@$(DENO_DIR)/dl/esbuild-*/esbuild-* --minify-whitespace --minify-identifiers --format=esm --log-level=warning \
	  --allow-overwrite --outdir=dist/js dist/js/*.js
	@# The executable has their times in it, and would have Deno's types and this folder's name if it were checked again: two
	@# builds of the same sources are the same bytes.
	@find dist/js -exec touch -d @0 {} +
	@DENORT_BIN=$$(test -s $(DENORT) && echo $(CURDIR)/$(DENORT) || true); \
	if [ -n "$$DENORT_BIN" ]; then export DENORT_BIN; else unset DENORT_BIN; fi; \
	$(DENO) compile --quiet --no-check --no-code-cache --no-config --allow-all --v8-flags=--max-semi-space-size=1 --include dist/js \
	  --output dist/srvaudit dist/js/main.js
	@cp src/queries dist/queries && rm -rf dist/shell && cp -r src/shell dist/shell
	@cd dist && for program in hello saticket ash_query; do ln -sf srvaudit $$program; done

test: build
	@packaging/test.sh $(DENO)

# Minutes of killing the agent and filling its disks: a mount namespace of its own, so that nothing stays mounted.
torture: build
	@unshare --mount --propagation private $(DENO) run -A --no-check tests/torture/torture.ts

check: $(DENORT)
	$(DENO) fmt --check --quiet
	$(DENO) lint --quiet
	$(DENO) check --quiet src tests packaging
	packaging/shellcheck.sh $(SHELL_FILES)

fmt: $(DENORT)
	$(DENO) fmt --quiet

bench: build
	@$(DENO) run -A tests/bench/bench.ts

# 200 sessions type for minutes while all six sinks are told, some of them are sick, and the agent is killed.
soak: build
	@$(DENO) run -A tests/bench/soak.ts

# A real Redmine on loopback, with a project, users and keys, until Ctrl-C.
redmine:
	@tests/support/redmine/try.sh

# A fake Jira on loopback, until Ctrl-C: Cloud, or `make jira EDITION=server`.
EDITION = cloud
jira: $(DENORT)
	@$(DENO) run -A --no-check tests/support/jira/main.ts --edition $(EDITION)

# All of srvAudit to try out: sshd on port 2222 with the user srvaudit, and a Redmine with its database, until Ctrl-C. As root.
# A make that is killed takes it with it.
tester: build
	@exec setpriv --pdeathsig KILL packaging/tester/tester.sh

# Packages for this machine's architecture: the same sources give the same bytes. xz -6 gives 23 MB, -1 26 MB in a sixth of
# the time; -9 saves one percent more and takes 700 MB of memory.
PACKAGES = dist/packages
LEVEL = 6
PACKAGED = dist/srvaudit $(shell find packaging completions docs/man -type f) $(wildcard docs/*.md docs/*.json) README.md LICENSE
VERSION = $(shell sed -n 's/^  "version": "\([^"]*\)",*$$/\1/p' deno.json)
MACHINE = $(shell uname -m)
DEB = $(PACKAGES)/srvaudit_$(VERSION)_$(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(MACHINE))).deb
RPM = $(PACKAGES)/srvaudit-$(VERSION)-1.$(MACHINE).rpm

deb: $(DEB)
rpm: $(RPM)

dist/copyright: packaging/copyright.ts packaging/deb/licence.v8 LICENSE dist/srvaudit
	@$(DENO) run -A --no-check packaging/copyright.ts > $@.new && mv $@.new $@

$(DEB): $(PACKAGED) dist/copyright
	@packaging/deb.sh dist/copyright $(PACKAGES) $(LEVEL)

$(RPM): $(PACKAGED) dist/copyright
	@packaging/rpm.sh dist/copyright $(PACKAGES) $(LEVEL)

# What is handed out: the tarball, its install.sh, and SHA256SUMS.
RELEASE = dist/release
release: build dist/copyright
	@packaging/release.sh dist/copyright $(RELEASE) $(LEVEL)

clean:
	rm -rf dist .tools

# With a DESTDIR the files alone, for a package. Without one, as from a release that was unpacked in dist/root: so
# `srvaudit uninstall` knows what was there before.
install: build
ifneq ($(DESTDIR),)
	packaging/install_files.sh "$(DESTDIR)" "$(PREFIX)"
else
	@rm -rf dist/root
	packaging/install_files.sh "$(CURDIR)/dist/root" "$(PREFIX)"
	"dist/root$(PREFIX)/lib/srvaudit/srvaudit" install --hooks-only
	@rm -rf dist/root
endif
