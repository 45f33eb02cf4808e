# `make` alone lists what there is. Everything runs from .venv, which setup.sh makes.
PYTHON := .venv/bin/python
OURS := -not -path './.venv/*' -not -path './var/*'

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt bench media-report clean farm farm-long farm-up farm-shell farm-down

help: ## show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  %-12s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with all that the farm, its tests and its developers need
	@./setup.sh

demo: ## transcode a clip on a farm of its own: HLS, MP4 and thumbnails in about a minute
	@OMKT_NO_DEV=1 ./setup.sh
	@$(PYTHON) -m omkt_cli demo

test: setup ## run every tier of tests that this machine can carry, and say which it cannot
	@$(PYTHON) -m tests.run

farm: setup ## a main host and two secondaries with kernels, NFS and Docker of their own: work, and the loss of a host
	@REQUIRE=all TIERS=farm $(PYTHON) -m tests.run

farm-long: setup ## the same with every fault of docs/faults.md, each by three seeds: hours
	@$(PYTHON) -m tests.needs
	@OMKT_FARM_SEEDS=1,2,3 $(PYTHON) -m pytest -v tests/farm

farm-up: setup ## bring up such a farm from this checkout, to work with it
	@$(PYTHON) -m tests.needs
	@$(PYTHON) -m tests.farm up

farm-shell: ## a shell on one of its hosts: make farm-shell HOST=main
	@$(PYTHON) -m tests.farm shell $(or $(HOST),main)

farm-down: ## switch it off and remove it; what was built for it stays
	@$(PYTHON) -m tests.farm down

check: setup ## formatting, lint, types and the direction of imports; scripts and YAML too
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@.venv/bin/shellcheck --severity=warning --exclude=SC2148 $$(find . -name '*.sh' $(OURS)) .ci/run
	@.venv/bin/yamllint --strict $$(find . -name '*.yaml' $(OURS))

fmt: setup ## format the code and repair what lint can
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

bench: setup ## measure: one line and one JSON file for each benchmark
	@$(PYTHON) bench/run.py

media-report: setup ## what becomes of every file of MEDIA with PRESETS (a,b): a table and report.json in OUT
	@PYTHONPATH=. $(PYTHON) bench/media_report.py "$(MEDIA)" "$(PRESETS)" "$(OUT)"

clean: ## remove .venv, setup's uv and all caches; farms under var/ stay
	rm -rf .venv var/uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find packages services tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
