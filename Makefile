# `make` alone prints the targets. Needs Python 3.11 or newer and make; everything else goes into $(VENV).
VENV ?= .venv
JOBS ?= 2
ifndef PYTHON
PYTHON := $(shell python3.11 -c "" >/dev/null 2>&1 && echo python3.11 || echo python3)
endif

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO_STUDY := examples/calcium_peroxide_release.toml
DEMO_CELLS := examples/calcium_peroxide_on_cells.toml
DEMO_MEMBERS ?= 20

.DEFAULT_GOAL := help
.PHONY: help install install-runtime demo test lint format types docs benchmark nightly clean

help:  ## print this list
	@echo "nanotrial: virtual experiments for tumour nanomedicine"
	@echo
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'
	@echo
	@echo "New here? Start with: make demo"
	@echo "Variables: PYTHON=$(PYTHON) VENV=$(VENV) JOBS=$(JOBS)"

# Set-up. A stamp file says what is installed; a change of pyproject.toml installs again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "nanotrial needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1). Try: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.development: pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) -e ".[test,dev]"
	@touch $(VENV)/.runtime $@

install: $(VENV)/.development  ## set up for development (package, test and development tools)
	@echo "Ready in $(VENV). Next: make test, or activate it: . $(BIN)/activate"

install-runtime: $(VENV)/.runtime  ## set up to run studies only

# A run folder is never overwritten, so each demo takes a fresh name.
demo: $(VENV)/.runtime  ## run the example studies (in buffer, on cells), score the evidence, say what to open
	@mkdir -p runs; now=$$(date +%Y%m%d-%H%M%S); set -e; \
	$(BIN)/nanotrial run $(DEMO_STUDY) -o "runs/release-$$now"; \
	$(BIN)/nanotrial run $(DEMO_CELLS) -o "runs/cells-$$now"; \
	$(BIN)/nanotrial evidence score --members $(DEMO_MEMBERS); \
	echo; \
	echo "Reports, to open in a browser:"; \
	find "runs/release-$$now" "runs/cells-$$now" -name '*.html' | sed 's/^/  /'; \
	echo "Next: copy $(DEMO_CELLS), change the line of cells, the dose or an agent, and run your copy:"; \
	echo "  $(BIN)/nanotrial run my_study.toml -o runs/my-study"

test: lint types  ## everything that must pass: set-up, lint, format, types, tests
	$(BIN)/python -m pytest -n $(JOBS)
	@echo "All passed. Next: make docs (pages), make benchmark (speed), make nightly (slow tests)."

lint: $(VENV)/.development  ## ruff: rules and format, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.development  ## ruff: mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.development  ## mypy, strict, on all of src
	$(BIN)/mypy

docs: $(VENV)/.development  ## generate the catalogue pages and build the site
	$(BIN)/python docs/generate_catalogue.py
	$(BIN)/mkdocs build --strict
	@echo "Next: open site/index.html in a browser."

benchmark: $(VENV)/.runtime  ## run every benchmark and print its table
	@set -e; for file in benchmarks/*.py; do \
		[ "$$file" = benchmarks/harness.py ] || { echo "== $$file"; $(BIN)/python "$$file"; }; \
	done

nightly: $(VENV)/.development  ## the slow tests
	$(BIN)/python -m pytest -n $(JOBS) -m nightly

clean:  ## remove the environment, caches and built pages; runs/ is kept
	rm -rf $(VENV) build dist site docs/catalogue .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
