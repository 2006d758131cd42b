# Every target installs the system packages that it needs and says so.
SHELL := /bin/bash
BUILD_PACKAGES := libsqlite3-dev libargon2-dev zlib1g-dev
ACME_PACKAGES := pebble openssl curl
TEST_PACKAGES := age openssl curl python3-venv pebble knot knot-dnsutils caddy lego iproute2 prometheus chromium chromium-driver \
	gdnsd openssh-server openssh-client wireguard-tools shellcheck nix-bin nix-setup-systemd procps
FLEET_PACKAGES := age pebble knot knot-dnsutils gdnsd openssh-server openssh-client wireguard-go wireguard-tools iproute2 curl openssl python3-minimal nix-bin nix-setup-systemd git binutils e2fsprogs
NIX_PACKAGES := nix-bin wireguard-tools openssh-client shellcheck jq systemd
BENCH_PACKAGES := golang-go golang-github-mattn-go-sqlite3-dev libsqlite3-dev nginx-light wrk
PYTHON_PACKAGES := cryptography==48.0.0 argon2-cffi==25.1.0 aiosmtpd==1.4.6 openapi-spec-validator==0.9.0 selenium==4.51.0 \
	hpack==4.2.0
UNIT_TESTS := ArchitectureTests|AuthTests|ConsoleTests|EncodingTests|IPNetworksTests|RootKeySourcesTests|SQLiteTests|SystemdTests|TelemetryTests|VaultTests|WebAssetsTests
RUN_DATA ?= run
# Across modules, so that what swift-crypto and swift-nio write generically is compiled for the types it is used with.
STATIC := swift build -c release -Xswiftc -static-executable -Xswiftc -cross-module-optimization -Xlinker -s

.PHONY: run run-acme run-fleet unit test test-fleet fuzz check check-nix lint vectors static static-node bench bench-monitor packages clean

## A development node on https://localhost:8443, with a certificate of its own.
run: packages
	swift build --product clavitor-node
	swift build --product clavitor
	.build/debug/clavitor-node serve --dev --data $(RUN_DATA)

## A CA on this machine, and a node that gets a real certificate from it, with the proof.
run-acme: packages
	scripts/install-packages $(ACME_PACKAGES)
	swift build --product clavitor-node
	scripts/run-acme

## A monitor and three nodes on this machine, ten times as fast as in earnest: kill one and watch.
run-fleet: packages
	scripts/install-packages curl python3-minimal
	swift build --product clavitor-node
	swift build --product clavitor-monitor
	scripts/run-fleet

## The rules, the rows and the parsers, without sockets, other programs or more packages: what to run after each change.
unit: packages
	swift build --build-tests
	scripts/run-tests --filter '^($(UNIT_TESTS))\.' --skip InteropTests

## Everything that CI tests: style, vectors, and all tests over real sockets and real TLS.
test: packages lint vectors
	scripts/install-packages $(TEST_PACKAGES)
	swift build --build-tests
	CLAVITOR_PYTHON="$(CURDIR)/.build/python/bin/python3" scripts/run-tests
	NODE=.build/debug/clavitor-node scripts/storm --short

## A hub, two spokes and an operator in network namespaces, with real WireGuard and sshd: deploys, cuts, deaths. Needs root.
test-fleet: packages
	scripts/install-packages $(FLEET_PACKAGES)
	scripts/test-fleet

## Two minutes of nonsense for the ports of node and monitor.
fuzz: packages vectors
	swift build --product clavitor-node
	swift build --product clavitor-monitor
	scripts/fuzz-ports

## What must hold before a change lands.
check: test fuzz static check-nix test-fleet

## The machines: inventory, modules, units, installer. NIXPKGS=DIR evaluates all sixteen as well.
check-nix:
	scripts/install-packages $(NIX_PACKAGES)
	scripts/check-nix

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

## The vectors again from Python, which must give the very files that are committed.
vectors:
	scripts/install-packages python3-venv
	scripts/install-python $(PYTHON_PACKAGES)
	.build/python/bin/python3 Tests/Vectors/generate.py --check

## Static, stripped binaries in dist/, for the native architecture: all, or the node alone.
static: static-node
	$(STATIC) --product clavitor
	$(STATIC) --product clavitor-monitor
	$(STATIC) --product clavitor-soc
	cp .build/release/clavitor .build/release/clavitor-monitor .build/release/clavitor-soc dist/
	scripts/check-binaries clavitor clavitor-monitor clavitor-soc

static-node: packages
	$(STATIC) --product clavitor-node
	mkdir -p dist
	cp .build/release/clavitor-node dist/
	scripts/check-binaries clavitor-node

bench: static
	scripts/install-packages $(BENCH_PACKAGES)
	scripts/install-python $(PYTHON_PACKAGES)
	scripts/storm
	Benchmarks/run

## A storm of heartbeats, and a fleet of ten thousand nodes.
bench-monitor: static
	scripts/install-packages nginx-light wrk
	Benchmarks/monitor

packages:
	@scripts/install-packages $(BUILD_PACKAGES)

clean:
	rm -rf .build dist
