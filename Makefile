# Every target sets itself up; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
FUZZ_VENV ?= .venv-fuzz
FUZZ_READY := $(FUZZ_VENV)/.ready
TARGET ?= responses
AWSCLI_VENV ?= .venv-awscli
AWSCLI_READY := $(AWSCLI_VENV)/.ready

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: venv
venv: $(READY) ## Make the virtual environment in .venv, unless it is there and up to date

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is too old: Python 3.10 or newer is needed; name one with make PYTHON=python3.12 ..." >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	touch $@

.PHONY: demo
demo: $(READY) ## Start the local service and list sessions from it, over real HTTP
	@$(BIN)/python examples/demo.py

.PHONY: test
test: $(READY) ## Run the tests
	$(BIN)/python -m pytest --numprocesses=auto

.PHONY: coverage
coverage: $(READY) ## Run the tests, and see that they reach every branch; takes half as long again
	$(BIN)/python -m pytest --numprocesses=auto --cov --cov-report=term

.PHONY: compare
compare: $(READY) $(AWSCLI_READY) ## Compare the command line with the AWS CLI's, which is installed for it in .venv-awscli
	AWS_CLI=$(abspath $(AWSCLI_VENV)/bin/aws) $(BIN)/python -m pytest --numprocesses=auto tests/awscli

# A virtual environment of its own, as the AWS CLI pins the botocore that it takes.
$(AWSCLI_READY):
	rm -rf $(AWSCLI_VENV)
	$(PYTHON) -m venv $(AWSCLI_VENV)
	$(AWSCLI_VENV)/bin/python -m pip install -qq --disable-pip-version-check awscli
	touch $@

.PHONY: check
check: $(READY) ## Lint and check the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: format
format: $(READY) ## Format the code, and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: api
api: $(READY) ## Write down the public interface anew, in tests/api.txt
	$(BIN)/python tests/public_api.py

.PHONY: fixtures
fixtures: $(READY) ## Record the fixtures anew, from boto3 talking to the local service
	$(BIN)/python fixtures/record.py

.PHONY: screenshots
screenshots: $(READY) ## Draw docs/command-line.svg anew: what the command line looks like
	$(BIN)/python docs/screenshots.py

.PHONY: bench
bench: $(BENCH_READY) ## Measure against boto3, aiobotocore and others; with ARGS=--quick in about a minute
	$(BENCH_VENV)/bin/python -m bench $(ARGS)

# Two virtual environments, as aiobotocore admits no newest botocore. The library is installed as users have it, not editable.
$(BENCH_READY): pyproject.toml bench/requirements.txt $(shell find src -name '*.py')
	if [ bench/requirements.txt -nt $(BENCH_VENV)/.peers ]; then \
		rm -rf $(BENCH_VENV) $(BENCH_VENV)-boto3; \
		$(PYTHON) -m venv $(BENCH_VENV); \
		$(BENCH_VENV)/bin/python -m pip install -qq --disable-pip-version-check '.[cli]' --requirement bench/requirements.txt; \
		$(PYTHON) -m venv $(BENCH_VENV)-boto3; \
		$(BENCH_VENV)-boto3/bin/python -m pip install -qq --disable-pip-version-check boto3; \
		touch $(BENCH_VENV)/.peers; \
	fi
	$(BENCH_VENV)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --force-reinstall .
	touch $@

.PHONY: soak
soak: $(READY) ## Put mixed load with faults on both clients for half an hour, and see that nothing grows
	$(BIN)/python -m bench.soak $(ARGS)

.PHONY: fleet
fleet: $(READY) ## Simulate up to 10,000 clients behind one account's throttle, with each way to retry
	$(BIN)/python -m bench.fleet

.PHONY: fuzz
fuzz: $(FUZZ_READY) ## Look for inputs that break the library, with TARGET=responses or arguments, for ARGS=-max_total_time=60 seconds
	$(FUZZ_VENV)/bin/python -m fuzz $(TARGET) $(ARGS)

$(FUZZ_READY): pyproject.toml
	$(PYTHON) -m venv $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/python -m pip install -qq --disable-pip-version-check --editable . atheris boto3
	touch $@

.PHONY: clean
clean: ## Remove all that the other targets made
	rm -rf $(VENV) $(FUZZ_VENV) $(BENCH_VENV) $(BENCH_VENV)-boto3 $(AWSCLI_VENV) fuzz/corpus fuzz/found .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
