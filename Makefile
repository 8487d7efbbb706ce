# Everything is installed, fetched, built and run from here. `make` alone tells the targets.
#
# Build results and engines live in the user's cache, so that a fresh clone starts from them.

CACHE            := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/echolot
CARGO_TARGET_DIR ?= $(CACHE)/target
KILLS            ?= 100
ARGS             ?=
export CARGO_TARGET_DIR

CARGO   := cargo --locked
RELEASE := $(CARGO_TARGET_DIR)/release/echolot
# What a build with the deep tier needs; its results lie apart, so that neither build undoes the other.
TORCH    = LIBTORCH=$$(enrich/fetch/libtorch.sh) && export LIBTORCH LIBTORCH_CXX11_ABI=0 \
           LD_LIBRARY_PATH=$$LIBTORCH/lib CARGO_TARGET_DIR=$(CARGO_TARGET_DIR)/bert

.DEFAULT_GOAL := help
.PHONY: help system engines ours build run run-bert test lint unit deep e2e pages generated containers \
        bench torture generate clean-data

help: ## shows the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

system: ## installs what Debian lacks (as root or with sudo)
	@engines/fetch/system.sh

engines: system ## fetches Apache Kafka and ClickHouse
	@engines/fetch/engines.sh

# Cargo tells by file times what to build anew. Where another clone built here last, ours are made
# new, or its results would pass for ours.
ours: system
	@mkdir -p $(CARGO_TARGET_DIR)
	@[ "$$(cat $(CARGO_TARGET_DIR)/.clone 2>/dev/null)" = "$(CURDIR)" ] \
		|| { git ls-files -z | xargs -0 touch -c && echo "$(CURDIR)" > $(CARGO_TARGET_DIR)/.clone; }

build: ours ## builds the binary
	$(CARGO) build --release --bin echolot

run: engines build ## runs everything on the sample: make run ARGS=--once
	@$(RELEASE) up $(ARGS)

run-bert: engines ours ## the same with the deep tier, a transformer on libtorch
	@engines/fetch/system.sh deep
	$(TORCH) && $(CARGO) build --release --bin echolot --features bert && \
		ECHOLOT__ENRICH__SCORER=bert ECHOLOT__ENRICH__BERT__FOLDER=$(CURDIR)/enrich/models/deep \
		$(CARGO_TARGET_DIR)/bert/release/echolot up $(ARGS)

test: engines lint generated unit deep e2e pages containers ## runs every check

lint: ours ## format and lints, warnings are errors
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit: engines ours ## unit, property and engine tests of every crate
	$(CARGO) test --workspace --exclude echolot --no-fail-fast
	$(CARGO) test --package echolot --bins

deep: ours ## the deep tier on real libtorch
	@engines/fetch/system.sh deep
	$(TORCH) && $(CARGO) clippy --package echolot-enrich --features bert --all-targets -- -D warnings && \
		$(CARGO) test --package echolot-enrich --features bert --test deep

e2e: engines ours ## end to end, on the real engines
	@engines/fetch/system.sh test
	$(CARGO) test --package echolot --test it -- --test-threads=4

pages: engines ours ## the dashboard's pages in a real browser, on the real engines
	@engines/fetch/system.sh test
	$(CARGO) build --bin echolot
	cd dashboard/web && ECHOLOT=$(CARGO_TARGET_DIR)/debug/echolot node --test --test-concurrency=1 tests/

generated: ours ## generated files are up to date
	$(CARGO) run --quiet --package xtask -- generate --check

generate: ours ## writes the generated files
	$(CARGO) run --quiet --package xtask -- generate

containers: ## compose file, rules, dashboards
	@engines/fetch/system.sh test
	/usr/bin/python3 docker/check.py
	python3 sample/check.py

torture: engines ours ## kills roles at random: make torture KILLS=100
	$(CARGO) build --release --bin echolot
	$(CARGO) run --release --package echolot-harness --bin torture -- --echolot $(RELEASE) --kills $(KILLS)

bench: engines ours ## measures the whole path beside a plain Python pipeline
	$(CARGO) build --release --bin echolot
	$(CARGO) run --release --package echolot-bench -- --echolot $(RELEASE) $(ARGS)

clean-data: ## removes the data folder of `make run`
	rm -rf .echolot
