# Everything needs only Python >= 3.11 and a package index; `make help` lists what there is.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet -c constraints.txt
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

# TORCH=cpu or cuda and TORCH_INDEX_URL choose the build of torch; left out, an NVIDIA card decides (deploy/install-torch.sh).
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is too old: Vitrine needs Python 3.11 or newer; name one with PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	deploy/install-torch.sh $(BIN)/python
endef

$(VENV)/.installed: pyproject.toml constraints.txt
	$(environment)
	$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.installed-demo: pyproject.toml constraints.txt
	$(environment)
	$(PIP) -e '.[models,catalogues,demo]'
	deploy/slim.sh $(VENV)
	@touch $@

install: $(VENV)/.installed ## environment with everything that runs, tests and checks

# The demo needs none of the developers' packages; where their environment is there already, it is used.
demo: $(if $(wildcard $(VENV)/.installed),$(VENV)/.installed,$(VENV)/.installed-demo) ## draw a catalogue, ingest it, serve the search page on port 8000
	$(BIN)/vitrine demo

# The checks know nothing of each other: two run side by side, the long ones first, and each one's output comes in one piece.
CHECKS := check-types check-pages check-imports check-spelling check-format check-build-files
check: install ## format, lint, types, spelling, declared imports, build files, and the pages' scripts and styles where npm is there
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync) $(CHECKS)

$(CHECKS): install

check-types:
	$(BIN)/mypy

check-pages:
	.ci/check-pages

check-imports:
	$(BIN)/deptry .
	$(BIN)/deptry tests training benchmarks docs --extend-exclude NOTHING --ignore DEP002,DEP004

check-spelling:
	$(BIN)/codespell

check-format:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-build-files:
	$(BIN)/hadolint Dockerfile
	$(BIN)/kubernetes-validate --strict --quiet deploy/kubernetes/*.yaml

# A file's tests stay in one process, which makes its fixtures once; files start in order, the long ones of the whole system first.
ifdef T
test: install ## all checks and all tests; T=path for the tests of one file or folder alone
	$(PYTEST) $(T)
else
test: check
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder || \
		{ echo "What has failed is tried once more, by itself; what passes now is still to be mended." && \
		$(PYTEST) --last-failed --last-failed-no-failures none; }
endif

unit: install ## the fast tests, which need no server and no torch: under a minute
	$(PYTEST) -q -n auto -m 'not hub and not slow' tests/unit

clients: install ## clients are generated from the API's description by three generators, and used
	test -d .clients || python3 -m venv .clients
	.clients/bin/pip install --quiet -r tests/clients/requirements.txt
	$(BIN)/python -m tests.clients.generate .clients/bin

bench: install ## measure speed, memory and recall beside floors and rivals (BENCH="--quick" for a quick look)
	$(PIP) -e '.[bench]'
	$(BIN)/python -m benchmarks $(BENCH)

wheel: install ## the wheel in dist/, and what it holds
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m zipfile --list dist/vitrine-*.whl

format: install ## let ruff mend formatting and imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## remove the environment and caches; the data folder stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist

.PHONY: help install demo check $(CHECKS) test unit bench clients wheel format clean
