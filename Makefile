# `make demo` and `make test` do all the set-up on a machine with Python 3.11 or newer, git and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Half of the time tests wait for servers and clocks, so there are more of them at once than processors.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))
# Tests start many a process, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests

help:  ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# uv comes from PyPI into the environment itself, so nothing else has to be installed first.
$(VENV)/.ready: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv sync --frozen --quiet --inexact --python $(BIN)/python
	@touch $@

setup: $(VENV)/.ready  ## Make .venv with everything in uv.lock

demo: setup  ## From a push to a report, here and now
	@$(BIN)/reana-bridge demo

test: setup  ## Run the tests
	@$(PYTEST)

soak: setup  ## Run the whole of the large matrices too
	@$(PYTEST) --soak

bench: setup  ## Measure, and print a table
	@$(BIN)/python -m tests.benchmarks

lint: setup  ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

docs: setup  ## Write the generated parts of docs/reference anew
	@$(BIN)/python -m tests.docs.reference

.PHONY: docs help setup demo test soak bench lint
