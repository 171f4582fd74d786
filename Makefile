# SPDX-License-Identifier: GPL-3.0-or-later
# `make` prints what there is. Everything that is made lies below build/ and goes with `make clean`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# ansible-core 2.19 runs on Python 3.11 to 3.13. Another interpreter: make PYTHON3=python3.12 …
ifndef PYTHON3
PYTHON3 := $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && command -v $$p && break; done)
endif

BUILD := build
VENV := $(BUILD)/venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
COLLECTIONS := $(BUILD)/collections
LINK := $(COLLECTIONS)/ansible_collections/weaveworks/wge
GATE := tests/gates

REQUIREMENTS := $(wildcard requirements/*.txt)
# Made anew for another interpreter or another folder; filled again when a requirement changes.
VENV_MADE := $(VENV)/.made-$(shell (pwd; $(PYTHON3) -V 2>&1) | sha256sum | cut -c1-16)
VENV_STAMP := $(VENV)/.filled-$(shell cat $(REQUIREMENTS) | sha256sum | cut -c1-16)

# Programs of the venv first; the shell's Ansible settings must not change what is tested here.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# Ansible refuses to start in a locale that is not UTF-8.
export LC_ALL := C.UTF-8
# Compiled files lie below build/, and are made once: each ansible-playbook of a test would compile the plugins anew.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(BUILD)/cache/python
export RUFF_CACHE_DIR := $(BUILD)/cache/ruff

# Where imports of ansible_collections.weaveworks.wge lead, for tools that are not Ansible.
IN_TREE := PYTHONPATH=$(COLLECTIONS)
PLUGINS := ansible_collections.weaveworks.wge.plugins
PROGRAMS := testbed witness demo bench integration browser chaos
TYPED = $(sort $(patsubst plugins/%/,%,$(dir $(wildcard plugins/*/*.py))))

# `make test` runs these in this order: what fails fast comes first. With a comma between them they run beside each other:
# each of those leaves a processor idle for half of its time.
GATES := ruff format reuse changelog arrows types unit build ansible-lint,docs sanity,bed-test integration molecule demo
# Stop at the first red gate: make test FAIL_FAST=1
FAIL_FAST ?=
# More words for pytest: make unit PYTEST='-k journal -x'
PYTEST ?=
JUNIT = --junit-xml=$(BUILD)/test/$@.xml -o junit_suite_name=$@

-include tests/testbed/testbed.mk
bed-up bed-tools: setup-bed
bed-down bed-status: setup

##@ Start
.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-zA-Z0-9_-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV_STAMP) link ## Python environment in build/venv and the link that makes the FQCN work

$(VENV_MADE):
	@PYTHON3='$(PYTHON3)' bash $(GATE)/system_packages.sh base
	@test -n '$(PYTHON3)' || { echo 'No Python 3.11, 3.12 or 3.13 on the PATH: install one, or name it: make PYTHON3=…'; exit 1; }
	$(PYTHON3) -m venv --clear $(VENV)
	@touch $@

$(VENV_STAMP): $(VENV_MADE)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(REQUIREMENTS))
	@touch $@

# Not part of `setup`: who only reads or edits the source needs none of it.
.PHONY: setup-bed
setup-bed: setup
	@bash $(GATE)/system_packages.sh bed

.PHONY: link
link: $(LINK) ## build/collections/…/weaveworks/wge -> this tree (ansible.cfg looks there)

$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

##@ Gates that read the source
.PHONY: lint
lint: ruff format reuse changelog ansible-lint ## all of the style gates below

.PHONY: ruff
ruff: setup ## Python style and likely bugs
	ruff check .

.PHONY: format
format: setup ## Python layout (to change it: make fix)
	ruff format --check .

.PHONY: fix
fix: setup ## let ruff repair what it can
	ruff check --fix .
	ruff format .

.PHONY: reuse
reuse: setup ## every file says under which licence it stands
	reuse lint --quiet || { reuse lint --lines; exit 1; }

.PHONY: changelog
changelog: setup ## changelog fragments
	antsibull-changelog lint

.PHONY: ansible-lint
ansible-lint: setup ## roles, playbooks, metadata and YAML, profile production
	@mkdir -p $(BUILD)/test
	ansible-lint --offline --strict --nocolor 2>&1 | tee $(BUILD)/test/ansible-lint.log
	@! grep 'Ignored exception' $(BUILD)/test/ansible-lint.log || { echo 'ansible-lint could not look at these.'; exit 1; }

.PHONY: types
types: setup ## mypy, strict, on the plugins and the tests' programs
	mypy $(foreach part,$(TYPED),-p $(PLUGINS).$(part)) $(addprefix -p ,$(PROGRAMS))
	mypy $(wildcard $(GATE)/*.py)

.PHONY: arrows
arrows: setup ## who may import whom (contracts in .importlinter)
	@$(IN_TREE) lint-imports --cache-dir $(BUILD)/cache/imports

##@ Gates that run it
.PHONY: unit
unit: setup ## unit tests: no cluster, no network (many wait for ansible-playbook, so more at once than there are processors)
	pytest -n $$(( $$(nproc) * 3 / 2 )) --dist worksteal --timeout=120 $(JUNIT) $(PYTEST) tests/unit tests/gates

.PHONY: sanity
sanity: setup ## ansible-test sanity on the built artifact
	@$(PYTHON) $(GATE)/sanity.py

.PHONY: bed-test
bed-test: bed-tools ## the test bed and the witness themselves
	pytest -n 2 --dist loadfile --timeout=600 $(JUNIT) $(PYTEST) tests/testbed/tests tests/witness/tests

# The other forms go back from the last rung, from each of the five with: make integration RUNGS=all
RUNGS ?=
.PHONY: integration
integration: bed-tools ## the collection against real control planes
	WGE_TEST_RUNGS=$(RUNGS) pytest -n 2 --timeout=1200 $(JUNIT) $(PYTEST) tests/integration

.PHONY: molecule
molecule: bed-tools ## molecule scenarios on the test bed (or kind, or WGE_TEST_KUBECONFIG)
	MOLECULE_EPHEMERAL_DIRECTORY=$(CURDIR)/$(BUILD)/molecule-state molecule test --all

.PHONY: demo
demo: setup-bed ## three clusters upgraded under load, from nothing
	$(PYTHON) tests/demo/demo.py

# Some forms of WG only: make chaos FORMS=B,C. On another machine a part of it: make chaos CHAOS='--part 2/5'; all results as one:
# make chaos CHAOS='--together FILE…'
FORMS ?= A,B,C,D
CHAOS ?=
.PHONY: chaos
chaos: bed-tools ## each journey of each form killed at each of its writes (FORMS=B; hours, not part of make test)
	PYTHONPATH=tests $(PYTHON) -m chaos --dir $(BUILD)/chaos --page docs/docsite/rst/kill_matrix.rst --forms $(FORMS) $(CHAOS)

.PHONY: browser
browser: setup ## the preflight's HTML page in a headless Chromium (300 MB, not part of make test)
	@PYTHON3='$(PYTHON3)' bash $(GATE)/system_packages.sh browser
	pytest --timeout=300 $(JUNIT) $(PYTEST) tests/browser

.PHONY: bench
bench: setup-bed ## speed against PyJWT, a kubernetes.core playbook and a bare loop
	$(PYTHON) tests/bench/entitlements.py
	$(PYTHON) tests/bench/bench.py

.PHONY: test
test: ## every gate, and how many passed
	@$(PYTHON3) $(GATE)/run.py $(if $(FAIL_FAST),--fail-fast) setup $(GATES)

##@ What is made
.PHONY: build
build: setup ## the collection's tarball, in build/dist
	@mkdir -p $(BUILD)/dist
	ansible-galaxy collection build --force --output-path $(BUILD)/dist

.PHONY: docs
docs: setup ## HTML pages in build/docs/html, and a check of every cross reference
	@$(PYTHON) $(GATE)/docs.py

.PHONY: clean
clean: ## remove build/ (refused while the test bed runs)
	@! { test -d $(BUILD)/bed && compgen -G '$(BUILD)/bed/**/*.pid' >/dev/null; } || { echo 'The test bed may be running: make bed-down first.'; exit 1; }
	rm -rf $(BUILD)
