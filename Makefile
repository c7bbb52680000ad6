# Every target does its own set-up: `make demo` or `make test` can be the first command on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-all lint types imports unit bench format clean

demo: $(READY)  ## a real helpdesk, real work orders, the whole loop (ARGS=--exit ends by itself)
	$(BIN)/rolecall demo $(ARGS)

test: lint types imports unit  ## what every change must pass

test-all: lint types imports $(READY)  ## with the slow proofs
	$(BIN)/pytest -m "slow or not slow"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports --no-cache

unit: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow"

bench: $(READY)  ## one benchmark or proof: make bench NAME=training
	$(BIN)/python -m tests.bench $(NAME) $(ARGS)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info

# torch first and by itself: asked for together with others, pip may prefer a build with CUDA.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable '.[dev]'
	touch $@
