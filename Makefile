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
# Where a workplace forbids bytecode, each of some hundred processes of the tests compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test test-all lint types imports unit proofs coverage bench requirements sbom format clean

demo: $(READY)  ## a real helpdesk, real work orders, the whole loop (ARGS=--exit ends by itself)
	$(BIN)/rolecall demo $(ARGS)

install: $(READY)  ## nothing but the environment in .venv

ifdef ARGS
test: $(READY)  ## one file or test: make test ARGS=tests/agent/test_flow.py
	$(PYTEST) $(ARGS)
else
test: lint  ## what every change must pass; types are judged beside the tests, which wait for processes half of their time
	$(MAKE) --no-print-directory --jobs 2 unit types imports
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
	$(PYTEST) --ignore tests/proofs $(WORKERS) -rs --cov --cov-report=term

proofs: $(READY)  ## two files at a time: each has servers and processes of its own, and mostly waits for them
	$(PYTEST) tests/proofs -rs --numprocesses 2 --dist loadfile

bench: $(READY)  ## one benchmark or proof: make bench NAME=training
	$(BIN)/python -m tests.proofs.bench $(NAME) $(ARGS)

# For Python 3.11 and later on every platform. torch, whose wheel differs by index, is named by the Dockerfile alone.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	--no-annotate --custom-compile-command "make requirements" --constraints constraints.txt

requirements: $(READY)  ## the hash of every file that the image installs, from the package index
	echo 'setuptools>=77' | $(COMPILE) --no-emit-package torch --excludes deploy/only-for-gpu.txt \
		--extra azure --extra cluster --extra llm --extra oidc --extra tracing --output-file deploy/requirements.txt pyproject.toml -
	echo 'setuptools>=77' | $(COMPILE) --output-file deploy/serving-requirements.txt deploy/serving-requirements.in -

sbom: $(READY)  ## build/rolecall.cdx.json, the bill of materials, and deploy/licences.md
	$(BIN)/python deploy/sbom.py

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
