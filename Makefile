# One environment, .venv, filled from pinned and hashed requirements, and CLIP's weights in the data folder. Nothing below
# touches the network once it exists.
# Its modules are compiled with it, not by each of the many processes that tests and workers are.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: help
help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.ready: requirements.txt requirements-uv.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --config-setting editable_mode=compat -e .
	@$(BIN)/assay models add clip || echo "Set up without CLIP: detectors work as they do without it."
	@touch $@

.PHONY: env
env: .venv/.ready ## Build or refresh .venv

.PHONY: demo
demo: .venv/.ready ## Draw, verify, strip, verify, tamper, verify, forge, verify
	$(BIN)/python examples/demo.py

.PHONY: dashboard
dashboard: .venv/.ready ## Open the pages on 127.0.0.1:8501
	$(BIN)/assay dashboard

.PHONY: lint
lint: .venv/.ready ## Ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: test
test: lint ## Everything that CI runs
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2

.PHONY: coverage
coverage: .venv/.ready ## The same tests, and which lines none of them runs; twice as slow
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --cov --cov-report=term

.PHONY: fuzz
fuzz: .venv/.ready ## 5,000 seeded mutations of signed files
	$(BIN)/python -m tests.benchmarks.fuzz

.PHONY: bench
bench: .venv/.ready ## Speed beside a bare process and a bare pipeline, measured in one run
	$(BIN)/python -m tests.benchmarks.speed
	$(BIN)/python -m tests.benchmarks.marks
	$(BIN)/python -m tests.benchmarks.pixel_speed
	$(BIN)/python -m tests.benchmarks.detectors
	$(BIN)/python -m tests.benchmarks.scan
	$(BIN)/python -m tests.benchmarks.dashboard

.PHONY: docs
docs: .venv/.ready ## Rewrite the tables that the docs take from the code
	$(BIN)/python -m tests.documents
	$(BIN)/python -m tests.forensics.tamper_table
	$(BIN)/python -m tests.watermark_table

.PHONY: screenshots
screenshots: .venv/.ready ## Draw the pages of the dashboard again, for docs/dashboard
	$(BIN)/python -m tests.dashboard.screenshots

.PHONY: bless
bless: .venv/.ready ## Rewrite the golden reports after an intended change
	ASSAY_BLESS=1 $(BIN)/pytest -q tests/assay/report

.PHONY: lock
lock: .venv/.ready ## Pin and hash the requirements again
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements.txt
	echo "setuptools>=80" | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements.txt pyproject.toml - -o requirements-core.txt
	echo "uv==0.13.9" | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header - -o requirements-uv.txt

.PHONY: clean
clean: ## Remove everything that can be made again
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* demo *.egg-info
