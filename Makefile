# `make help` says what there is. Everything happens in .venv/, made here with Python 3.11 and locked versions.
# The distribution's own where it can make environments: it was built with profile-guided optimisation (docs/operations.md).
PYTHON ?= $(shell /usr/bin/python3.11 -c "import ensurepip, sys; print(sys.executable)" 2>/dev/null || echo python3.11)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
MAKEFLAGS += --no-builtin-rules
unexport PYTHONDONTWRITEBYTECODE  # compiled once, not by each of the thousand processes that tests start

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test unit slow lint format bench docs lock peers clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: .venv/ready ## the light installation, enough to run
	@$(BIN)/ecluse --version

demo: .venv/ready ## a day of care in a département, then thefts; a minute; then open demo/report.html
	$(BIN)/ecluse demo --out demo

serve: .venv/ready ## the hub left by the demo, on http://127.0.0.1:8400
	$(BIN)/ecluse serve --dir demo/hub

test: .venv/ready-dev peers ## every test but the slow ones, every law in full
	$(BIN)/pytest --hypothesis-profile=house

unit: .venv/ready-dev ## the tests that need nothing beside them: twenty seconds, a quarter of each law's examples
	$(BIN)/pytest tests/unit

slow: .venv/ready-dev ## the tests that take minutes
	$(BIN)/pytest -m slow --hypothesis-profile=house

lint: .venv/ready-dev ## style, types, the house's own rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_tidy.py

format: .venv/ready-dev ## mend what a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready-bench ## every bench with its budget and a peer beside it (minutes)
	$(BIN)/python -m bench

docs: .venv/ready-dev ## check that the documents say what there is
	$(BIN)/pytest tests/test_docs.py

lock: .venv/ready-dev ## choose the newest versions that go together, and write them down with their hashes
	$(PIP) uv
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-annotate pyproject.toml --group build -o requirements/run.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-annotate pyproject.toml --group build --group dev -c requirements/run.txt -o requirements/dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-annotate pyproject.toml --group build --group dev --group bench -c requirements/dev.txt -o requirements/bench.txt

# Their tests say that they are skipped where there is no node.
peers: $(if $(shell command -v npm),tests/peers/oidc/node_modules/.package-lock.json) ## the OpenID provider and clients that tests ask (node 20, npm)

tests/peers/oidc/node_modules/.package-lock.json: tests/peers/oidc/package-lock.json
	cd tests/peers/oidc && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

clean: ## forget what was installed and made
	rm -rf .venv tests/peers/oidc/node_modules demo var bench/out .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/python: requirements/run.txt
	$(PYTHON) -m venv .venv || python3 -m venv .venv
	touch $@

.venv/ready: requirements/run.txt pyproject.toml .venv/python
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/ready-dev: requirements/dev.txt .venv/ready
	$(PIP) --require-hashes -r requirements/dev.txt
	touch $@

.venv/ready-bench: requirements/bench.txt .venv/ready-dev
	$(PIP) --require-hashes -r requirements/bench.txt
	touch $@
