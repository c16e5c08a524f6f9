# Every line with ## is a command; `make help` lists them. The work is in scripts/, which set up what they need.
.DEFAULT_GOAL := help
.PHONY: help setup run build dev check test bench sizes soak coverage prepare sbom audit
SHELL := /bin/bash

help:     ## this list
	@sed -n 's/^\([a-z]*\): *##/  make \1	/p' $(MAKEFILE_LIST) | expand -t 20
setup:    ## install what building and testing need (the other commands do it by themselves)
	@scripts/setup test
run:      ## set up what is missing, build, and serve with demo data on http://127.0.0.1:3000
	@scripts/setup build && scripts/build && exec target/dist/tollgate serve --demo
build:    ## build all that a deployment needs into target/dist
	@scripts/setup build && scripts/build
dev:      ## serve with demo data, rebuild and restart on every change
	@scripts/setup build && scripts/setup dev && scripts/dev/watch
check:    ## the fast loop: format, lint, unit tests (SQL against a live database)
	@scripts/setup test && eval "$$(scripts/dev/database)" && scripts/test format server-lints unit-tests
test:     ## everything: format, lint, unit, integration and browser tests
	@scripts/setup test && scripts/test
soak:     ## the gate against its models with 25 random seeds (SEEDS=, FIRST_SEED=); then Postgres slow, away and back for 20 minutes (OUTAGE_SECONDS=, OUTAGE_KEYS=)
	@scripts/setup test && scripts/test soak
bench:    ## measure the gate and the pages against a bare handler, in one run
	@scripts/setup bench && scripts/bench
sizes:    ## what a first visit to a page transfers, against 200 kB
	@scripts/setup build && scripts/build && . scripts/env && BENCH_CASES=sizes node benches/run.mjs "$$PWD/target/dist/tollgate" "" "$$PWD/target/sizes.json"
coverage: ## line coverage of the server's code by all Rust tests
	@scripts/setup coverage && scripts/test coverage
prepare:  ## after a change of SQL: write .sqlx/, which lets a clone build without a database
	@scripts/setup build && scripts/dev/prepare
sbom:     ## write the bill of materials (CycloneDX 1.5) to target/dist/tollgate.cdx.json; `make build` does, too
	@scripts/setup build && . scripts/env && mkdir -p target/dist && node scripts/sbom.mjs target/dist/tollgate.cdx.json
audit:    ## check the licences, sources and known vulnerabilities of the dependencies (needs cargo-deny and the network)
	@scripts/audit
