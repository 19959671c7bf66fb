# Everything needs only Python 3.11 and a package index; `make help` lists what there is.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

install: $(VENV)/.installed ## environment with everything that runs, tests and checks

demo: install ## draw a catalogue, ingest it, serve the search page on port 8000
	$(BIN)/vitrine demo

check: install ## ruff, mypy, and what is imported is declared, and the pages' scripts and styles where npm is there
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/deptry .
	$(BIN)/deptry tests training benchmarks docs --extend-exclude NOTHING --ignore DEP002,DEP004
	.ci/check-pages

# A file's tests stay in one process, which makes its fixtures once; files start in order, the long ones of the whole system first.
test: check ## all checks and all tests
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: install ## measure speed, memory and recall beside floors and rivals (BENCH="--quick" for a look of two minutes)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks $(BENCH)

format: install ## let ruff mend formatting and imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## remove the environment and caches; the data folder stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

.PHONY: help install demo check test bench format clean
