# Every target does its own set-up, from a clean clone with Python 3.11 and make alone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
# uv compiles nothing by default, and uncompiled code costs every start two seconds.
export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo test fuzz torture check bench generate wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## install everything into .venv

$(STAMP): pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep -m1 -A1 '^name = "uv"' uv.lock | sed -n 's/version = "\(.*\)"/uv==\1/p')"
	@$(BIN)/uv sync --quiet --frozen --all-extras --python $(BIN)/python
	@touch $@

demo: $(STAMP) ## the whole road in two minutes, on loopback
	@$(BIN)/refsync demo

test: $(STAMP) ## every test, in random order, warnings as errors
	@$(BIN)/pytest

FUZZ ?= --inputs 200000 --seed 1
fuzz: $(STAMP) ## 200,000 odd templates, expressions and files: FUZZ="--inputs 9000 --seed 7"
	@$(BIN)/python -m tests.fuzz $(FUZZ)

TORTURE ?=
torture: $(STAMP) ## kill 200 runs on each database, try every fault of Canopsis, race for the lock
	@$(BIN)/python -m tests.torture $(TORTURE)

check: $(STAMP) ## format, lint, types, import directions, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m flows.reference --check

generate: $(STAMP) ## write the JSON schema and the reference pages from the models
	@$(BIN)/python -m flows.reference
	@$(BIN)/uv export --quiet --frozen --all-extras --no-dev --no-emit-project --no-annotate \
		--output-file requirements.lock

bench: $(STAMP) ## measured figures, as ratios within one run
	@$(BIN)/python -m tests.bench

wheel: $(STAMP) ## build dist/refsync-*.whl
	@$(BIN)/uv build --quiet --wheel

clean: ## remove what the targets made
	@rm -rf $(VENV) .refsync dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
