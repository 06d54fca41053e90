# All tasks of the project. `make` or `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
# Many tests run servers and processes of their own beside them: half the cores keep the machine quick enough.
WORKERS ?= $(shell cores=$$(nproc); echo $$(( cores > 4 ? cores / 2 : 2 )))
PYTEST_ARGS ?= -n $(WORKERS) --dist loadscope --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Small matrices only: threads of the linear algebra library would wait for each other.
export OMP_NUM_THREADS ?= 1
# What uv shall write into a lock: what holds on every machine, and nothing of where it was fetched from.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# --- for everybody -------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(VENV)/.runtime ## Make .venv with all that spineclip needs to run

.PHONY: demo
demo: setup ## Set up, then show the whole way from a virtual wearable to a page
	@$(BIN)/spineclip demo $(ARGS)

.PHONY: secrets
secrets: setup ## Make the clinic's passwords, tokens and certificates in ./secrets
	@$(BIN)/spineclip clinic secrets

.PHONY: clinic-demo
clinic-demo: secrets ## Start the clinic (Docker) with a made-up patient, so that its Grafana is full at once
	@docker compose --profile demo up --detach --build
	@echo "Grafana: http://localhost:3000, user admin, password in secrets/grafana_password (full after a minute or two)"
	@echo "The page: http://localhost:8080   The end of it: docker compose --profile demo down"

# --- for developers ------------------------------------------------------------------------------------------------

.PHONY: dev
dev: $(VENV)/.dev ## Make .venv with the tools of the tests, too

.PHONY: system
system: ## Install the real servers of the tests (Debian packages), where that is allowed
	@scripts/system-packages

.PHONY: test
test: dev system tests/dashboards/node_modules/.ready ## Set up everything, then run all tests
	@$(BIN)/python -m processing.warm_up
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: check
check: lint types ## Lint and types

.PHONY: lint
lint: dev ## Look at format and style
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted; make format does it."; exit 1; }
	@$(BIN)/ruff check .

.PHONY: format
format: dev ## Format all files and mend what ruff can mend
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: types
types: dev ## Check all types (mypy --strict)
	@$(BIN)/mypy

.PHONY: bench
bench: dev ## Measure: each benchmark prints ratios measured in one run
	@for file in $(filter-out benchmarks/soak.py,$(wildcard benchmarks/[a-z]*.py)); do echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)"; done

.PHONY: validate
validate: dev ## Score the core against the labelled recordings in $(DATA)
	@$(BIN)/spineclip validate $(DATA) $(ARGS)

.PHONY: faults
faults: dev system ## Run the fault matrix with its full counts and print its table
	@SPINECLIP_FAULTS=full $(BIN)/python -m pytest -q -n 2 tests/fault

.PHONY: fuzz
fuzz: dev ## Throw a million damaged messages of each kind at their readers, and odd bytes at every decoder for long
	@SPINECLIP_FAULTS=table SPINECLIP_FUZZ=1000000 $(BIN)/python -m pytest -q -n auto --timeout 3600 \
		tests/fault/test_f18_fuzz.py tests/property/test_decoder_fuzz.py

.PHONY: soak
soak: dev system ## Run a day of fifty patients, faster than real time (ARGS="50 24": patients, hours)
	@$(BIN)/python -m benchmarks.soak $(ARGS)

.PHONY: soak-wearables
soak-wearables: dev ## Eight wearables, a hundred faults in two minutes (SPINECLIP_SOAK=seconds:faults)
	@SPINECLIP_SOAK=$${SPINECLIP_SOAK:-120:100} $(BIN)/python -m pytest -s tests/fault/test_wearable_soak.py

.PHONY: dashboards
dashboards: dev ## Write the Grafana dashboards anew
	@$(BIN)/python -m dashboards.grafana

.PHONY: docs
docs: dev ## Write the page of metrics anew
	@$(BIN)/python -m spineclip.metrics_page > docs/metrics.md

.PHONY: lock
lock: dev ## Choose the newest dependencies that fit pyproject.toml and pin them with their hashes
	@$(COMPILE) --upgrade pyproject.toml --extra install -o requirements.txt
	@$(COMPILE) --upgrade pyproject.toml --extra install --extra test -c requirements.txt -o requirements-dev.txt

.PHONY: clean
clean: ## Remove all that make made
	rm -rf $(VENV) tests/dashboards/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis out

# --- how -----------------------------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@scripts/make-venv "$(PYTHON)" $(VENV)

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing what spineclip needs (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation -e .
	@echo "Compiling the core (once; a minute or two)"
	@$(BIN)/python -m processing.warm_up
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing the tools of the tests (once)"
	@$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

tests/dashboards/node_modules/.ready: tests/dashboards/package-lock.json | system
	@scripts/node-modules
