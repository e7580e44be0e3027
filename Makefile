# The two commands a new user needs are `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests on all cores, the files of tests shared among them; more than four want much memory.
SHARED := --numprocesses auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The stamps say what is installed; they are older than pyproject.toml when that has changed.
$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Mien needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Give another with: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.app: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# pip's own --group needs pip 25.1, so pip comes first.
$(VENV)/.dev: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[train,stream,cluster,sound]' --group dev
	@touch $@ $(VENV)/.app

.PHONY: run
run: $(VENV)/.app ## install the app (without torch) and start it
	$(BIN)/fer-app

.PHONY: test
test: $(VENV)/.dev ## install everything and run all tests offscreen
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(SHARED)

.PHONY: lint
lint: $(VENV)/.dev ## check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## put the code into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.app ## measure the speed of the live pipeline on this machine
	$(BIN)/fer-benchmark

# An environment of its own, with nothing in it that the program does not need.
STANDALONE := build/standalone
STANDALONE_BIN := $(STANDALONE)/$(notdir $(BIN))
.PHONY: standalone
standalone: $(VENV)/.python ## put the program with a Python of its own into dist/Mien
	$(BIN)/python -m venv $(STANDALONE)
	$(STANDALONE_BIN)/python -m pip install --quiet --upgrade '.[stream,sound]' 'pyinstaller>=6.10'
	$(STANDALONE_BIN)/pyinstaller --noconfirm --log-level WARN packaging/mien.spec

.PHONY: clean
clean: ## remove the environment and everything made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
