# Needs Python >= 3.10, make and a package index; all else goes into .venv.
# PYTHON=... chooses the interpreter, VENV=... the folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PYTEST_ARGS ?= -n auto --dist worksteal
DEMO_DIR ?= demo
FAULTS ?= 2000
ARCHIVES ?= 40
KILLS ?= 200
STACK_KILLS ?= 100

.PHONY: help setup demo demo-portals demo-stack test test-more test-unit faults scan-faults catalogue-faults stack-faults lint docs bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    simulate two deliveries, serve them on loopback, ingest both by URL"
	@echo "make demo-portals  ... and ingest them from simulated portals, by each portal's job"
	@echo "make demo-stack  ... a flood: before, during, after, as time series, mosaics, animations"
	@echo "make test    run the tests"
	@echo "make test-more  ... and those of the page in Chromium, the campaigns and the benchmarks, in short"
	@echo "make faults  transfers through random faults (FAULTS=2000; SEED=... repeats one)"
	@echo "make scan-faults  archive scans killed at random (ARCHIVES=40; SEED=... repeats one)"
	@echo "make catalogue-faults  a catalogue's writers killed at random (KILLS=200; SEED=... repeats one)"
	@echo "make stack-faults  a stack's runs killed at random (STACK_KILLS=100; SEED=... repeats one)"
	@echo "make lint    ruff, mypy, import-linter"
	@echo "make bench   the benchmarks in their quick form (python benchmarks/NAME.py for one)"
	@echo "make docs    write again the pages that are made from the code's tables"
	@echo "make clean   remove the virtual environments and caches"

# The interpreter is checked before anything is made, and a half-made environment is removed.
$(VENV)/made: pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
	  { echo "alos2-ingest needs Python 3.10 or newer: install it, then 'make PYTHON=/path/to/python3 $(MAKECMDGOALS)'" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: 'apt install python3-venv' (Debian, Ubuntu), or a Python from python.org, then again" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "no virtual environment could be made: 'apt install python3-venv' (Debian, Ubuntu), then again" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  { rm -rf $(VENV); echo "the virtual environment has no pip: 'apt install python3-venv' (Debian, Ubuntu), then again" >&2; exit 2; }
	@echo "installing alos2-ingest into $(VENV)"
	@$(PIP) -e .
	@touch $@

$(VENV)/made-test: $(VENV)/made
	@$(PIP) -e '.[test]'
	@$(PIP) -e '.[readers]' || echo "independent readers could not be installed here: their tests will be skipped"
	@touch $@

$(VENV)/made-lint: $(VENV)/made-test
	@$(PIP) -e '.[lint]'
	@touch $@

setup: $(VENV)/made

demo: $(VENV)/made
	@$(BIN)/alos2 demo $(DEMO_DIR)

demo-portals: $(VENV)/made
	@$(BIN)/alos2 demo --portals $(DEMO_DIR)

demo-stack: $(VENV)/made
	@$(BIN)/alos2 demo --stack $(DEMO_DIR)-stack

test: $(VENV)/made-test
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not apart"

test-more: $(VENV)/made-test
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m apart --ignore tests/web/browser
	$(BIN)/python -m pytest tests/web/browser

test-unit: $(VENV)/made-test
	$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not readers and not slow and not apart"

faults: $(VENV)/made-test
	@$(BIN)/python tests/campaigns/faults.py --transfers $(FAULTS) $(if $(SEED),--seed $(SEED))

scan-faults: $(VENV)/made-test
	@$(BIN)/python tests/campaigns/scan_faults.py --archives $(ARCHIVES) $(if $(SEED),--seed $(SEED))

catalogue-faults: $(VENV)/made-test
	@$(BIN)/python tests/campaigns/catalogue_faults.py --kills $(KILLS) $(if $(SEED),--seed $(SEED))

stack-faults: $(VENV)/made-test
	@$(BIN)/python tests/campaigns/stack_faults.py --kills $(STACK_KILLS) $(if $(SEED),--seed $(SEED))

lint: $(VENV)/made-lint
	$(BIN)/ruff check pge tests benchmarks docker gekko
	$(BIN)/ruff format --check pge tests benchmarks docker gekko
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/made
	$(BIN)/python -m alos2.ceos.document > docs/formats/ceos.md

bench: $(VENV)/made-test
	@for name in benchmarks/[a-z]*.py; do $(BIN)/python $$name --quick || exit; done

clean:
	rm -rf .venv .venv-* demo demo-stack build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
