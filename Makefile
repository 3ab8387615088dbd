# The same commands for a newcomer, a colleague and CI. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
DATA ?= var/data
PORT ?=
FILES ?=
ARGS ?=

VENV := .venv
READY := $(VENV)/.installed
LOCKS := $(wildcard requirements/*.txt)
UV := $(VENV)/bin/uv
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: help
help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: $(READY)  ## from an invoice to a proof, on a stack of its own (FILES="a.pdf b.pdf")
	@$(VENV)/bin/python -m archive_service.cli demo $(FILES)

.PHONY: serve
serve: $(READY)  ## run the service in the foreground until Ctrl-C (DATA=folder PORT=number)
	@$(VENV)/bin/archive up --data $(DATA) $(if $(PORT),--port $(PORT))

.PHONY: test
test: $(READY)  ## every test but the long ones (ARGS="-k name")
	@$(VENV)/bin/pytest -m "not long" $(ARGS)

.PHONY: test-long
test-long: $(READY)  ## the tests that take many minutes: 500 kills, large runs
	@$(VENV)/bin/pytest -m long $(ARGS)

.PHONY: lint
lint: $(READY)  ## format, rules, types, layers
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

.PHONY: requirements
requirements: $(READY)  ## lock the dependencies anew (ARGS=--upgrade)
	$(COMPILE) $(ARGS) requirements/bootstrap.in -o requirements/bootstrap.txt
	$(COMPILE) $(ARGS) pyproject.toml -o requirements/base.txt
	$(COMPILE) $(ARGS) pyproject.toml --all-extras -o requirements/service.txt
	$(COMPILE) $(ARGS) pyproject.toml --all-extras --group dev -o requirements/dev.txt

# The stamp is written last: an environment that was interrupted half-way is completed by the next call.
$(READY): pyproject.toml $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "The archive needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(UV) pip install --quiet --python $(VENV)/bin/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation -e .
	@touch $@
