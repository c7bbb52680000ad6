# Every target does its own set-up: `make demo` or `make test` can be the first command on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# One thread a worker: more than the machine has cores only wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest
# Three workers for two cores: tests of servers and processes wait for them half of their time.
WORKERS := --numprocesses 3 --dist loadgroup

.PHONY: demo test test-all lint types imports unit proofs coverage bench format clean

demo: $(READY)  ## a real helpdesk, real work orders, the whole loop (ARGS=--exit ends by itself)
	$(BIN)/rolecall demo $(ARGS)

ifdef ARGS
test: $(READY)  ## one file or test: make test ARGS=tests/agent/test_flow.py
	$(PYTEST) $(ARGS)
else
test: lint types imports unit  ## what every change must pass
endif

test-all: lint types imports coverage proofs  ## with the proofs: storms, fuzz campaigns, real servers

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports --no-cache

unit: $(READY)
	$(PYTEST) --ignore tests/proofs $(WORKERS)

coverage: $(READY)  ## the same, and which lines of the three packages ran in it
	$(PYTEST) --ignore tests/proofs $(WORKERS) --cov --cov-report=term

proofs: $(READY)  ## one after the other: each has servers and processes of its own
	$(PYTEST) tests/proofs

bench: $(READY)  ## one benchmark or proof: make bench NAME=training
	$(BIN)/python -m tests.proofs.bench $(NAME) $(ARGS)

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
