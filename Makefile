# The two commands that matter: `make demo` and `make test`. Both set up .venv from the project's files.
.DEFAULT_GOAL := help
.PHONY: help demo test check-slow clean

PYTHON ?= python3
# Another place to find torch, for example PyTorch's CPU builds: https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
DEMO_TIME ?= 60s

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/installed ## train for a minute on text that Python carries, then sample from it
	@rm -rf checkpoints/demo
	$(BIN)/charrnn train --name demo --time $(DEMO_TIME)
	$(BIN)/charrnn sample -m demo --prompt "The " --length 400
	$(BIN)/charrnn inspect next "The stat" -m demo

test: .venv/installed-dev ## check style and types, run the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not slow" -n auto --maxprocesses 4 --dist worksteal

check-slow: .venv/installed-dev ## run the tests that take longer
	$(BIN)/pytest -m slow --timeout 3600

clean: ## remove .venv, caches and the compiled library
	rm -rf .venv .mypy_cache .ruff_cache build *.egg-info charrnn/native/*.so

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/installed: $(BIN)/python pyproject.toml setup.py constraints.txt $(wildcard charrnn/native/*.[ch])
	$(PIP) -e .
	@touch $@

.venv/installed-dev: .venv/installed
	$(PIP) -e '.[dev]'
	@touch $@
