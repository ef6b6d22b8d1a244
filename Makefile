# Two ways in: `make demo` and `make test`. Everything else is for who works on it; `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PLOTTING := $(VENV)/installed-for-bench
DEMO_RATE ?= 20
UP ?=

.DEFAULT_GOAL := help
.PHONY: help install demo up test soak bench docs check format-check format lint type directions kafka clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(STAMP) ## .venv with everything in it

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or newer, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): 3.11 or newer is needed; make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt install python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' || { echo "pip could not install the packages: check the network (a proxy: HTTPS_PROXY) and run it again" >&2; exit 1; }
	@touch $(STAMP)

# What draws the plots is large, and of no use to anything else.
$(PLOTTING): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench]'
	@touch $(PLOTTING)

demo: install ## a whole instance with demo traffic, until Ctrl-C
	@exec $(BIN)/vacancy up --demo $(DEMO_RATE) $(UP)

up: install ## a whole instance without traffic, until Ctrl-C
	@exec $(BIN)/vacancy up $(UP)

# The decisions are measured by their own tests. Two processes share the rest, a file to each at a time; what kills the
# parts of one instance after the other has the machine to itself.
WHOLE := tests/whole tests/chaos
PYTEST := $(BIN)/python -m pytest -q -m 'not soak'
test: install kafka ## all tests but the long ones, those on a real broker included
	$(PYTEST) -n 2 tests/domain --cov --cov-report=term-missing:skip-covered
	$(PYTEST) -n 2 --dist loadfile tests --ignore tests/domain $(WHOLE:%=--ignore %)
	$(PYTEST) $(WHOLE)

soak: install kafka ## three thousand lives, defences removed, one of three brokers killed, half an hour of faults; its figures go to docs/chaos.md
	$(BIN)/python -m pytest -q -m soak tests/lives tests/bench tests/crash tests/sabotage tests/chaos/test_cluster.py
	$(BIN)/vacancy chaos --minutes 30 --write docs

bench: $(PLOTTING) kafka ## peers, journey, log, growth: the figures go to docs/performance.md
	$(BIN)/vacancy bench --write docs

docs: install ## docs/layouts.md, from the layouts, their codecs and the tests
	$(BIN)/python -m tests.layout_page
	$(BIN)/python -m tests.crash.page

check: install format-check lint type directions ## everything that needs no broker

format-check:
	$(BIN)/ruff format --check .

lint: install
	$(BIN)/ruff check .

type: install
	$(BIN)/mypy

directions: install
	$(BIN)/python -m pytest -q tests/test_structure.py

format: install ## rewrites the sources as ruff wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Before the tests and outside their time limits: the first time it is a download.
kafka: install
	@$(BIN)/python -c 'from streams import kafka_files as files; files.find() or files.fetch()'

clean: ## .venv and caches; never the data in .vacancy
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
