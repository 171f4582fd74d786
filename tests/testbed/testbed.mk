# SPDX-License-Identifier: GPL-3.0-or-later
# The test bed's targets; included by the Makefile.
# bed-up: CLUSTERS=n WG=helm|helmrelease|kustomization|wego-app|wego-app-git|none INGRESS=1 BED=folder BED_VALUES=file

CLUSTERS ?= 1
WG ?= helm
BED ?= build/bed
PYTHON ?= python3
BED_VALUES ?=
INGRESS ?=

.PHONY: bed-up bed-down bed-status bed-tools

bed-up: ## real clusters: CLUSTERS=n WG=helm|none|...
	$(PYTHON) tests/testbed/bed.py up --dir $(BED) --clusters $(CLUSTERS) --wg $(WG) $(if $(INGRESS),--ingress) $(addprefix --values ,$(BED_VALUES))

bed-down: ## end them
	$(PYTHON) tests/testbed/bed.py down --dir $(BED)

bed-status: ## what runs, and its memory
	$(PYTHON) tests/testbed/bed.py status --dir $(BED)

bed-tools: ## build the programs they need
	$(PYTHON) tests/testbed/bed.py tools
