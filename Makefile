# The front door. `make demo` and `make test` set up what they need: a virtual environment in .venv with the
# locked packages, once. Another interpreter: `make demo PYTHON=python3.12`.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# A stamp per lock: another lock, other packaging, or other C installs again; nothing else does.
key = $(shell cat $(1) pyproject.toml | sha256sum | cut -c1-16)
RUN_STAMP := .venv/.run-$(call key,requirements.lock setup.py $(sort $(wildcard dicom_node/receiver/native/*)))
DEV_STAMP := .venv/.dev-$(call key,requirements.lock requirements-dev.lock)
BENCH_STAMP := .venv/.bench-$(call key,requirements.lock requirements-dev.lock requirements-bench.lock)

# Programs that only the tests and the checks of our output use. Debian's and Ubuntu's own packages; Node from
# anywhere will do.
PEERS := dcmtk orthanc orthanc-dicomweb dicom3tools libpixelmed-java default-jre-headless libgdcm-tools strace \
  chromium poppler-utils $(if $(shell command -v npm),,nodejs npm)

# What builds the module in C; a Python that is not Debian's has its own headers.
BUILDERS = gcc libc6-dev libssl-dev $(if $(shell $(PYTHON) -c '$(FIND_HEADERS)'),,$(notdir $(PYTHON))-dev)
FIND_HEADERS := import glob, sysconfig; print(*glob.glob(sysconfig.get_path("include") + "/Python.h"))

# pynetdicom's package brings its tests along
ACCEPTOR_CASES := $(addprefix pynetdicom.tests.test_,dul fsm acse assoc assoc_n transport service_class service_n \
  service_storage service_verification)

.PHONY: help demo test acceptor bench results rounds beside fuzz lint audit format peers debian-peers native lock clean

help:  ## say what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(RUN_STAMP)  ## watch the main job: a study in, a report and attention maps out
	$(BIN)/dicom-node demo $(ARGS)

test: $(DEV_STAMP)  ## run the tests; ARGS="-k receiver -x" goes to pytest
	$(BIN)/python -m pytest $(ARGS)

acceptor: $(DEV_STAMP)  ## run all of pynetdicom's own tests that open associations to us; some minutes
	$(BIN)/python -m pytest -c tests/conformance/pytest.ini -p tests.conformance.our_acceptor --pyargs $(ACCEPTOR_CASES)

bench: $(BENCH_STAMP)  ## measure, and write benchmarks/results; ARGS="receive" for some, "--self-check" tries the bench
	$(BIN)/python -m benchmarks $(ARGS)

results: $(RUN_STAMP)  ## train eight networks on phantoms, and write docs/results.md; cut off, it goes on
	$(BIN)/python -m models.reference --work $(WORK) --page docs/results.md --commit $$(git rev-parse --short=12 HEAD) $(ARGS)

results: WORK ?= data/reference

rounds: $(DEV_STAMP)  ## kill -9 at random moments: ROUNDS=1000 SEED=1 LANES=2, a batch of 50 per seed
	$(BIN)/python -m tests.e2e.kill_run --rounds $(ROUNDS) --seed $(SEED) --lanes $(LANES)

beside: $(DEV_STAMP)  ## storescp, Orthanc and the node in the same trials: kill -9, full disk (needs root), syncs
	$(BIN)/python -m tests.side_by_side $(ARGS)

rounds: ROUNDS ?= 1000
rounds: SEED ?= 1
rounds: LANES ?= 2

fuzz: $(DEV_STAMP)  ## spoiled PDUs, conversations, images: PDUS=1000000 NATIVE=200000 SOCKETS=20000 IMAGES=10000 SEED=1
	$(BIN)/python -m tests.fuzz.pdus --inputs $(PDUS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.native --inputs $(NATIVE) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.native_bounds --inputs $(NATIVE) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.sockets --inputs $(SOCKETS) --seed $(SEED)
	$(BIN)/python -m tests.fuzz.files --images $(IMAGES) --seed $(SEED)

fuzz: PDUS ?= 1000000
fuzz: NATIVE ?= 200000
fuzz: SOCKETS ?= 20000
fuzz: IMAGES ?= 10000
fuzz: SEED ?= 1

lint: $(DEV_STAMP)  ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: $(DEV_STAMP)  ## ask for known vulnerabilities of what the locks pin; ARGS=--strict fails where nobody answers
	$(BIN)/python .ci/audit.py $(ARGS) requirements.lock requirements-dev.lock requirements-bench.lock

format: $(DEV_STAMP)  ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: debian-peers  ## install what the tests talk to, and a compiler (Debian packages, sudo unless root; OHIF)
	@$(PYTHON) tests/peers/ohif_packages.py

debian-peers:
	@missing=$$(for name in $(PEERS) $(BUILDERS); do \
	    [ "$$(dpkg-query --show --showformat='$${db:Status-Abbrev}' $$name 2>/dev/null)" = "ii " ] || echo $$name; \
	  done); \
	if [ -z "$$missing" ]; then echo "all peers of Debian are installed"; exit 0; fi; \
	command -v apt-get >/dev/null || { echo "make peers knows Debian and Ubuntu only; missing:" $$missing >&2; exit 1; }; \
	echo "installing" $$missing; \
	as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	install="$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends"; \
	$$install $$missing || { $$as_root apt-get update && $$install $$missing; }

native: $(RUN_STAMP)  ## build the receiver's module in C again, once a compiler is there
	$(INSTALL_NODE)

lock: $(DEV_STAMP)  ## write the lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	$(BIN)/python -m piptools compile $(COMPILE) $(ARGS) --strip-extras --build-deps-for editable \
	  --output-file requirements.lock pyproject.toml
	$(BIN)/python -m piptools compile $(COMPILE) $(ARGS) --no-strip-extras --extra dev --constraint requirements.lock \
	  --output-file requirements-dev.lock pyproject.toml
	$(BIN)/python -m piptools compile $(COMPILE) $(ARGS) --no-strip-extras --extra bench --constraint requirements.lock \
	  --output-file requirements-bench.lock pyproject.toml

lock: export CUSTOM_COMPILE_COMMAND = make lock
# A constraint names no extras; but what is installed and asked for with one must be pinned with it, or pip takes the
# newest version, for which there is no hash.
COMPILE := --quiet --generate-hashes --allow-unsafe \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

clean:  ## remove the environment and the caches; data stays
	rm -rf build *.egg-info $(BUILT) .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# ---- the environment ----

# The module in C is optional, and pip is silent about it. An old one goes first: it must not serve new Python, and a
# node that runs keeps the file it has.
BUILT := dicom_node/receiver/_native.*.so
define INSTALL_NODE
@rm -f $(BUILT)
$(PIP) install --no-deps --no-build-isolation --editable .
@$(BIN)/python -c 'import dicom_node.receiver._native' 2>/dev/null || echo "without the native receiver lane: images are" \
  "received in Python, slower; for it: apt-get install gcc libssl-dev $(notdir $(PYTHON))-dev && make native" >&2
endef

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "dicom-node needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Install one (apt-get install python3.13 python3.13-venv) and name it: make ... PYTHON=python3.13"; \
	  exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: apt-get install $(notdir $(PYTHON))-venv"; exit 1; } >&2
	$(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }

$(RUN_STAMP): | .venv/bin/python
	@echo "installing the packages of requirements.lock into .venv (once; about 3 GB)"
	$(PIP) install --require-hashes --requirement requirements.lock
	$(INSTALL_NODE)
	@rm -f .venv/.run-* && touch $@

$(DEV_STAMP): | $(RUN_STAMP)
	@echo "installing the packages of requirements-dev.lock into .venv (once)"
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	@rm -f .venv/.dev-* && touch $@

$(BENCH_STAMP): | $(DEV_STAMP)
	@echo "installing the packages of requirements-bench.lock into .venv (once)"
	$(PIP) install --require-hashes --requirement requirements-bench.lock
	@rm -f .venv/.bench-* && touch $@
