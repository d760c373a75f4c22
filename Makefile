# Targets: build test run lint audit fuzz bench microbench deb release clean. `make test`
# is what CI runs.

GO       ?= go
FUZZTIME ?= 30s
BENCH    ?=

# The version is taken from git where there is a repository, and is "devel"
# where there is none.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.build=$(VERSION)

# Packages with Go benchmarks and with fuzz targets.
benched = $(shell grep -rl --include='*_test.go' '^func Benchmark' cmd internal web | xargs -r -n1 dirname | sort -u | sed 's,^,./,')
fuzzed  = $(shell grep -rl --include='*_test.go' '^func Fuzz' cmd internal web | xargs -r -n1 dirname | sort -u | sed 's,^,./,')

.PHONY: build
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# test installs what the tests need (as root, with apt), then checks the
# sources and runs every test with the race detector.
.PHONY: test
test: deps lint
	$(GO) test -race -timeout 15m ./...

# run starts the daemon in the foreground with a few example programs, in a
# temporary directory that goes away with it.
.PHONY: run
run: build
	@docs/examples/demo/run bin

.PHONY: lint
lint:
	@.ci/lint

# audit looks for weaknesses with gosec, and for known ones in modules with
# govulncheck, whose database may be out of reach.
.PHONY: audit
audit:
	@.ci/audit

# fuzz runs every fuzz target for FUZZTIME.
.PHONY: fuzz
fuzz:
	@FUZZTIME=$(FUZZTIME) .ci/fuzz $(fuzzed)

# soak plays LIVES random lives, from SEED on, to both implementations, the core
# SEEDS lives of 2,000 steps against a model (one that fails is written as a
# transcript of the core), causes faults ten times as often,
# and loads the daemon for LOAD.
LIVES ?= 500
SEED  ?= 1
SEEDS ?= 10000
LOAD  ?= 30m
.PHONY: soak
soak: deps
	$(GO) test -count 1 -timeout 3h ./internal/difftest -run TestLives -difftest.count $(LIVES) -difftest.seed $(SEED)
	$(GO) test -count 1 -timeout 3h ./internal/sim -sim.seeds $(SEEDS) -sim.transcripts ../core/testdata -v -run TestSimulation
	$(GO) test -count 1 -timeout 3h ./internal/faulttest -skip TestLoad -soak 10 -upgrades 50 -upgrade.children 200
	$(GO) test -count 1 -timeout 3h ./internal/faulttest -run TestLoad -load $(LOAD) \
		-load.programs 100 -load.clients 50 -load.followers 20 -v

# bench measures this project and the original side by side and writes
# docs/benchmarks.md and the figures in README.md; it takes about 15 minutes.
# BENCH=quick measures a tenth of that, BENCH=REGEXP only some workloads, such as
# log- or ten; both only print.
.PHONY: bench
bench: build deps
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/bench/ ./internal/bench/...
	bin/bench/bench $(if $(BENCH),$(if $(filter quick,$(BENCH)),-quick,-only='$(BENCH)'),-docs=docs)
	$(if $(BENCH),,$(GO) test -count 1 ./internal/doctest -run TestFigures -update)

# microbench runs the Go benchmarks of the packages; see benchstat.
.PHONY: microbench
microbench:
	$(GO) test -run '^$$' -bench . -benchmem $(benched)

# deps makes sure that the programs the tests run are installed.
.PHONY: deps
deps:
	@.ci/deps

# screenshots makes the pictures of the web pages in docs/images with Chromium.
.PHONY: screenshots
screenshots:
	CI=true $(GO) test -count=1 -run '^TestScreenshots$$' ./internal/webtest -screenshots=$(CURDIR)/docs/images

# deb builds the Debian package into dist.
.PHONY: deb
deb:
	@GO='$(GO)' internal/packaging/build deb

# release builds archives and Debian packages for all architectures into dist, the
# same bytes from the same commit, and prints their checksums.
.PHONY: release
release: portable
	@GO='$(GO)' internal/packaging/build release

# portable builds and vets for macOS and FreeBSD.
.PHONY: portable
portable:
	@.ci/portable

# test-clients drives the daemon with Ansible's module and with the XML-RPC
# libraries of Perl, PHP and Ruby, which it installs.
.PHONY: test-clients
test-clients:
	@.ci/deps ansible librpc-xml-perl php-cli php-xmlrpc ruby ruby-xmlrpc
	CI=true $(GO) test -count=1 -tags clients -run '^TestClients$$' ./internal/clienttest

# test-package installs the package on systems booted by systemd, and without it,
# and builds a release twice. It needs root, a Docker engine and Debian's archive,
# as test-containers does, and takes about 15 minutes.
.PHONY: test-package
test-package: deps
	CONTAINER_TESTS=required $(GO) test -count=1 -timeout 1h ./internal/packaging

# test-containers runs the programs in containers, also on a Debian system.
.PHONY: test-containers
test-containers: deps
	CONTAINER_TESTS=required $(GO) test -count=1 -timeout 1h -run 'Container' ./internal/realtest

.PHONY: clean
clean:
	rm -rf bin dist
