# `make help` lists the targets. Each target first installs what it needs, in a virtual environment in this folder.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Without bytecode, each of the hundreds of processes that tests start would compile the library.
unexport PYTHONDONTWRITEBYTECODE
DEMO_VENV ?= .venv-demo
DEMO_READY := $(DEMO_VENV)/.ready
DEMO_PACKAGES := attrs botocore httpx rich
FLOORS_VENV ?= .venv-floors
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
FUZZ_VENV ?= .venv-fuzz
FUZZ_READY := $(FUZZ_VENV)/.ready
TARGET ?= responses
AWSCLI_VENV ?= .venv-awscli
AWSCLI_READY := $(AWSCLI_VENV)/.ready
AWS_CLI ?= $(abspath $(AWSCLI_VENV)/bin/aws)
DOCS_VENV ?= .venv-docs
DOCS_READY := $(DOCS_VENV)/.ready
SDK_VENV ?= .venv-sdk
SDK_READY := $(SDK_VENV)/.ready
RELEASE_VENV ?= .venv-release
RELEASE_READY := $(RELEASE_VENV)/.ready

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 12

# $(call new_venv,FOLDER,WHAT FOR) creates a virtual environment, with nothing in it but pip.
define new_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is too old: Python 3.10 or newer is needed; name one with make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Creating $(1), a virtual environment $(2)"
	@rm -rf $(1)
	@$(PYTHON) -m venv $(1)
endef
INSTALL := -m pip install -qq --disable-pip-version-check

.PHONY: demo
demo: $(DEMO_READY) ## Start the local service, run a workflow in it and list sessions, over real HTTP
	@PYTHONPATH=src $(DEMO_VENV)/bin/python examples/demo.py

# The library is not installed, as building it takes longer than the rest, and pip is half of what would stay there.
$(DEMO_READY): pyproject.toml
	$(call new_venv,$(DEMO_VENV),for the demo: 40 MB)
	@echo "Installing what the demo imports: $(DEMO_PACKAGES)"
	@$(DEMO_VENV)/bin/python $(INSTALL) --no-compile $(DEMO_PACKAGES)
	@$(DEMO_VENV)/bin/python -m pip uninstall -qq --yes pip setuptools
	@touch $@

.PHONY: venv
venv: $(READY) ## Create the virtual environment .venv, or create it again if pyproject.toml has changed

$(READY): pyproject.toml
	$(call new_venv,$(VENV),for tests and checks: 600 MB)
	@echo "Installing the library and its extra 'dev': a minute or two"
	@$(BIN)/python $(INSTALL) --editable '.[dev]'
	@touch $@

.PHONY: test
test: $(READY) ## Run the tests
	$(BIN)/python -m pytest --numprocesses=auto

.PHONY: coverage
coverage: $(READY) ## Run the tests and fail if they miss a branch (takes half as long again as make test)
	$(BIN)/python -m pytest --numprocesses=auto --cov --cov-report=term

# The extra `dev`, which is installed first, requires newer releases, so pip reports conflicts; they do no harm here.
# pytest-httpx is left out because it works only with a newer httpx.
.PHONY: floors
floors: ## Run the tests with the oldest supported dependencies
	$(MAKE) --no-print-directory venv VENV=$(FLOORS_VENV)
	floors=$$($(FLOORS_VENV)/bin/python .ci/floors.py); echo "$$floors"; \
		$(FLOORS_VENV)/bin/python $(INSTALL) $$floors
	$(FLOORS_VENV)/bin/python -m pytest --numprocesses=auto --quiet -m 'not newest' -p no:pytest_httpx

.PHONY: drift
drift: $(READY) ## Print what botocore's model of the service has and the library has not
	$(BIN)/python -m tests.beside.test_service_model

.PHONY: compare
compare: $(READY) $(AWSCLI_READY) ## Compare the command line with the AWS CLI, which is installed in .venv-awscli (AWS_CLI=... for another one)
	AWS_CLI=$(AWS_CLI) $(BIN)/python -m pytest --numprocesses=auto tests/beside/awscli

# The AWS CLI has a virtual environment to itself because it requires one exact release of botocore.
$(AWSCLI_READY):
	$(call new_venv,$(AWSCLI_VENV),for the AWS CLI)
	@$(AWSCLI_VENV)/bin/python $(INSTALL) awscli
	@touch $@

.PHONY: sdk
sdk: $(READY) $(SDK_READY) ## Drive workflows in the local service with AWS's SDK nova-act, which is installed in .venv-sdk (600 MB)
	SDK_PYTHON=$(abspath $(SDK_VENV)/bin/python) $(BIN)/python -m pytest --numprocesses=auto tests/beside/sdk

$(SDK_READY):
	$(call new_venv,$(SDK_VENV),for AWS's SDK: 600 MB)
	@$(SDK_VENV)/bin/python $(INSTALL) nova-act
	@touch $@

.PHONY: check
check: $(READY) ## Run the linter and the type checkers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m tests.typing.check_with_ty

.PHONY: format
format: $(READY) ## Format the code and fix what the linter can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: wheel
wheel: $(RELEASE_READY) ## Build the sdist and the wheel, check them, and use the wheel in fresh virtual environments
	PYTHON=$(RELEASE_VENV)/bin/python .ci/wheel

.PHONY: release
release: $(RELEASE_READY) ## Do what `make wheel` does, leave both in dist/, and say what is left to a person (nothing is uploaded)
	PYTHON=$(RELEASE_VENV)/bin/python .ci/wheel dist
	@$(RELEASE_VENV)/bin/python .ci/release.py dist

$(RELEASE_READY):
	$(call new_venv,$(RELEASE_VENV),to build and check releases: 75 MB)
	@$(RELEASE_VENV)/bin/python $(INSTALL) build twine
	@touch $@

.PHONY: slim
slim: $(READY) ## Install the wheel with attrs alone, and use it beside the local service
	PYTHON=$(BIN)/python .ci/slim

.PHONY: layer
layer: $(READY) ## Build a layer for AWS Lambda in dist/, for the version of Python that builds it (ARGS=--compare: beside boto3)
	$(BIN)/python .ci/layer.py dist $(ARGS)

.PHONY: api
api: $(READY) ## Write the public interface to tests/api.txt
	$(BIN)/python -m tests.public_api

.PHONY: twins
twins: $(READY) ## Write the methods of AsyncClient from those of Client
	$(BIN)/python -m tests.clients.twins

.PHONY: fixtures
fixtures: $(READY) ## Record the fixtures again, from boto3 calling the local service
	$(BIN)/python fixtures/record.py

.PHONY: docs
docs: $(DOCS_READY) ## Build the documentation in site/, and fail if a link or an anchor leads nowhere
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --strict
	@echo "site/index.html is there; for its search: python3 -m http.server --directory site"

$(DOCS_READY): docs/requirements.txt
	$(call new_venv,$(DOCS_VENV),for the documentation)
	@$(DOCS_VENV)/bin/python $(INSTALL) --requirement docs/requirements.txt
	@touch $@

.PHONY: screenshots
screenshots: $(READY) ## Draw the pictures of the command line in docs/ again
	$(BIN)/python docs/screenshots.py

.PHONY: bench
bench: $(BENCH_READY) ## Measure against boto3, aiobotocore and others (ARGS=--quick: in two or three minutes)
	$(BENCH_VENV)/bin/python -m bench $(ARGS)

.PHONY: instructions
instructions: $(READY) ## Count the instructions of calls, and compare with the commit before (needs valgrind; ARGS='--against COMMIT')
	$(BIN)/python -m bench.instructions $(ARGS)

# There is a second virtual environment for the newest boto3, as aiobotocore does not allow the newest botocore.
# The library is installed as users install it, not editable.
$(BENCH_READY): pyproject.toml bench/requirements.txt $(shell find src -name '*.py')
	if [ bench/requirements.txt -nt $(BENCH_VENV)/.peers ]; then \
		rm -rf $(BENCH_VENV) $(BENCH_VENV)-boto3; \
		$(PYTHON) -m venv $(BENCH_VENV); \
		$(BENCH_VENV)/bin/python $(INSTALL) '.[cli]' --requirement bench/requirements.txt; \
		$(PYTHON) -m venv $(BENCH_VENV)-boto3; \
		$(BENCH_VENV)-boto3/bin/python $(INSTALL) boto3; \
		touch $(BENCH_VENV)/.peers; \
	fi
	$(BENCH_VENV)/bin/python $(INSTALL) --no-deps --force-reinstall .
	touch $@

.PHONY: soak
soak: $(READY) ## Run both clients under mixed load with faults for half an hour, and check that nothing grows
	$(BIN)/python -m bench.soak $(ARGS)

.PHONY: fleet
fleet: $(READY) ## Simulate up to 10,000 clients of one throttled account, for each way to retry
	$(BIN)/python -m bench.fleet

.PHONY: fuzz
fuzz: $(FUZZ_READY) ## Search for inputs that break the library (TARGET=responses or arguments; ARGS=-max_total_time=60 for a minute)
	$(FUZZ_VENV)/bin/python -m fuzz $(TARGET) $(ARGS)

$(FUZZ_READY): pyproject.toml
	$(call new_venv,$(FUZZ_VENV),for the fuzzer)
	@$(FUZZ_VENV)/bin/python $(INSTALL) --editable . atheris boto3
	@touch $@

.PHONY: clean
clean: ## Remove everything that the other targets created
	rm -rf .venv-3.* $(VENV) $(DEMO_VENV) $(FLOORS_VENV) $(FUZZ_VENV) $(BENCH_VENV) $(BENCH_VENV)-boto3 $(AWSCLI_VENV) $(DOCS_VENV) $(SDK_VENV) $(RELEASE_VENV) fuzz/corpus fuzz/found .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist site
