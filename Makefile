# The verbs of the project. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory

export PATH := $(CURDIR)/.tools/bin:$(PATH)

siyu := target/debug/siyu

# --- run ------------------------------------------------------------------------------------------

.PHONY: help
help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## build, start everything, import real orders, print the report; stays up until Ctrl-C
	@exec $(siyu) demo

.PHONY: up
up: build ## build and start everything in one process, on a private PostgreSQL, without demo data
	@exec $(siyu) up

.PHONY: build
build: setup ## build the program, target/debug/siyu
	@cargo build --locked -p siyu --bin siyu

.PHONY: setup
setup: # what building and running needs; free when nothing is missing
	@deploy/setup.sh

.PHONY: tools
tools: # the same, and the pinned tools of lint and test
	@deploy/setup.sh --tools

# --- check ----------------------------------------------------------------------------------------

# Programs and tests are built by one command, so that the tests which start the program find it, and find it built with
# the features that they were built with.
.PHONY: test
test: tools ## run every test, against a real PostgreSQL and NATS that it starts itself
	@cargo build --locked --workspace --bins --tests
	cargo test --locked --workspace

.PHONY: chaos
chaos: tools ## kill processes under 10,000 checkouts and audit every book (CHECKOUTS=n, SEED=n, MINUTES=n, SECS=n for wallets)
	@cargo build --locked --workspace --bins --tests
	CHECKOUTS=$${CHECKOUTS:-10000} cargo test --locked --workspace --test faults -- --nocapture checkout
	SIYU_CHAOS_SECS=$${SECS:-60} cargo test --locked --workspace --test faults -- --nocapture wallet cuts crowd

.PHONY: lint
lint: fmt contracts deps chart clippy ## check format, contracts, dependencies, the chart and the code; warnings are errors

.PHONY: fmt
fmt:
	@cargo fmt --all --check

.PHONY: contracts
contracts: tools
	@deploy/check-proto.sh

.PHONY: deps
deps: tools
	@cargo deny --locked check --hide-inclusion-graph bans licenses sources
	cargo shear --locked --deny-warnings

.PHONY: chart
chart: tools
	@.tools/venv/bin/python -B helm/tests/check.py

.PHONY: clippy
clippy: setup
	@cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: bench
bench: setup ## measure against limits taken in the same run, with optimised programs
	@cargo build --locked --profile load -p siyu -p siyu-tests --bins --benches
	cargo bench --locked --profile load -p siyu-tests --bench load

.PHONY: big
big: setup ## show with a million rows what is said of a million rows (ROWS=1000000)
	@cargo build --locked --profile load -p siyu -p siyu-tests --bins --tests
	SIYU_BIG_ROWS=$${ROWS:-1000000} cargo test --locked --profile load -p siyu -p siyu-tests --test big -- --nocapture

# --- package --------------------------------------------------------------------------------------

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n1)
IMAGE ?= siyu:$(VERSION)

.PHONY: image
image: ## build the container image (IMAGE=name:tag; needs Docker or buildah)
	@build=$$(command -v docker || command -v buildah) || { echo 'make image needs docker or buildah' >&2; exit 1; }
	$$build build -f deploy/Dockerfile -t '$(IMAGE)' --build-arg VERSION='$(VERSION)' \
	  --build-arg REVISION="$$(git rev-parse HEAD)" .

.PHONY: package
package: tools ## pack the Helm chart into target/chart
	@helm package helm/siyu -d target/chart

.PHONY: clean-data
clean-data: ## delete the data of `make demo` and `make up` (.siyu)
	@rm -rf .siyu
