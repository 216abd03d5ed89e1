VENV := .venv
PY := $(VENV)/bin/python
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/base: pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

# torch first and alone: its pinned build must be in place before packages that would pull another one.
$(VENV)/dev: $(VENV)/base
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[local,dev]'
	@touch $@

demo: $(VENV)/base ## install the base and run the main job: no torch, no model download
	$(VENV)/bin/guard demo

test: $(VENV)/dev ## install everything and run all tests, coverage included
	$(PY) -m pytest -n auto --cov --cov-report=term

lint: $(VENV)/dev ## format check, lint, types, layers
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: help demo test lint
