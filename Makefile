# Two commands do the main job: `make run` and `make test`. Everything else is here too: bare `make` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE  # what is compiled once, no kernel compiles again
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)

.PHONY: help run test slow check lab review bench lock generated example clean

help:  ## this list
	@echo "Analytical CRM"; echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

run: .venv/installed  ## reports from the source in crm.toml, from data to pages
	@$(BIN)/crm run

test: .venv/installed  ## the tests, and what was skipped and why; without whole runs and large data
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow"

slow: .venv/installed  ## the slow tests: whole runs, large data, planted truth
	@$(BIN)/pytest -n 2 --dist worksteal -m slow

check: .venv/installed  ## style, types, import directions, documents in step with the code
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/nbstripout --verify notebooks/*.ipynb
	@$(BIN)/pytest -q tests/architecture

lab: .venv/installed  ## JupyterLab on the project's own kernel, on this machine only
	@$(BIN)/jupyter lab --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/notebooks/explore.ipynb

review: .venv/installed  ## MLflow's pages over the project's store, on this machine only
	@$(BIN)/mlflow ui --host 127.0.0.1 --port 5000 --backend-store-uri \
		"$${MLFLOW_TRACKING_URI:-$$($(BIN)/python -c 'import crm; print(crm.read_settings().tracking_uri)')}"

bench: .venv/installed  ## speed, as ratios within one run
	@for bench in benchmarks/*.py; do echo "== $$bench"; $(BIN)/python $$bench; done

lock: .venv/installed  ## renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--extra dev pyproject.toml -o requirements.lock

generated: .venv/installed  ## renew environment.yml and the generated pages of docs/
	@$(BIN)/python tools/generate.py

example: .venv/installed  ## renew docs/example and README's picture from the newest run
	@$(BIN)/python tools/example.py

clean:  ## remove the environment; data, reports and models stay
	rm -rf .venv

# Made anew when the lock changes. uv comes in the version of the lock; everything is checked against its hash.
.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 must be installed. Found: $$(python3 --version 2>&1)." \
		"Install one, or name it: make run PYTHON=/path/to/python3.12"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked packages into .venv (once)"
	@sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@
