# chimney: `make` lists what can be done. Every target may be run in a fresh clone.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PAGE   := src/chimney/table/static/index.html
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help up setup test lint unit ui-test drills quiet incident bench bench-% fuzz-grammar lock openapi packages screenshots

help:  ## list these targets
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## /\1\t/' | expand -t 12

up: setup  ## fresh clone to running product: prints the address to open and the sign-in
	@exec $(BIN)/chimney up

setup: $(VENV)/.runtime $(PAGE)  ## environment, locked dependencies, built page; leaves .venv/bin/chimney

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/.python
	@echo "installing locked dependencies …"
	@$(BIN)/pip install -q --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "installing locked development dependencies …"
	@$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	@touch $@

ui/node_modules/.installed: ui/package-lock.json
	@echo "installing the page's locked dependencies …"
	@cd ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): ui/node_modules/.installed $(UI_SOURCES)
	@echo "building the page …"
	@cd ui && npm run --silent build
	@touch $@

packages:  ## Debian packages that the tests talk to (root only; elsewhere install them yourself)
	@.ci/packages chromium redis-server shellcheck curl openssl caddy prometheus prometheus-alertmanager libfaketime libnss-wrapper

test: packages setup lint ui-test unit  ## everything CI runs

lint: $(VENV)/.dev  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

ui-test: ui/node_modules/.installed  ## the page's lint, types and unit tests
	cd ui && npm run --silent lint && npm run --silent check && npm run --silent test

unit: $(VENV)/.dev $(PAGE)  ## unit, integration and browser tests
	$(BIN)/pytest

drills: packages $(VENV)/.dev $(PAGE)  ## every fault in a whole stack: the finding that names it, how soon, and whether any is wrong
	DRILLS=$${DRILLS:-all} $(BIN)/pytest tests/drills -n 0 --timeout 420 -o faulthandler_timeout=0

quiet: packages $(VENV)/.dev $(PAGE)  ## a whole stack that lives for QUIET_SECONDS (1800): nothing may be said to be wrong
	DRILLS=quiet $(BIN)/pytest tests/drills/test_quiet.py -n 0 -o faulthandler_timeout=0

incident: packages $(VENV)/.dev $(PAGE)  ## the incident that chimney comes from, replayed; renews its pictures in docs/images
	DRILLS=incident INCIDENT_IMAGES=docs/images $(BIN)/pytest tests/drills/test_incident.py -n 0 --timeout 600 -o faulthandler_timeout=0

bench: $(VENV)/.dev $(PAGE)  ## every benchmark, one table
	@.ci/packages wrk nginx libnginx-mod-nchan redis-server caddy
	$(BIN)/python -m bench

bench-%: $(VENV)/.dev $(PAGE)  ## one benchmark, for example bench-hot
	@.ci/packages wrk nginx libnginx-mod-nchan redis-server caddy strace
	$(BIN)/python -m bench $*

fuzz-grammar: bench-grammar  ## 100,000 generated paths through an origin: what GitHub would see

lock: $(VENV)/.dev  ## renew the lock files after a change of dependencies
	$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-header --no-emit-index-url -o requirements/runtime.txt
	echo hatchling editables | tr ' ' '\n' | $(BIN)/uv pip compile -q - --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -o requirements/build.txt
	$(BIN)/uv pip compile -q pyproject.toml --extra dev --universal --generate-hashes --no-header --no-emit-index-url -c requirements/runtime.txt -c requirements/build.txt -o requirements/dev.txt

screenshots: $(VENV)/.dev $(PAGE)  ## pictures of every screen into docs/images
	@.ci/packages chromium caddy
	$(BIN)/python -m tests.e2e.screenshots

openapi: $(VENV)/.runtime  ## renew the page's types from the table's OpenAPI document
	$(BIN)/chimney openapi table > ui/openapi.json
	cd ui && npm run --silent types
