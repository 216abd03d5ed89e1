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
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[hsm,kms,local,ocr,postgres,privacy,dev]'
	@touch $@

# Older clients and another gateway, for the tests that speak to Guard as they do. Each has a place of its own,
# since their pins are not Guard's; where they cannot be had, those tests say that they were skipped.
$(VENV)/peers: $(VENV)/dev
	$(PY) -m pip install -q --disable-pip-version-check --target $(VENV)/clients/openai-1 --upgrade openai==1.109.1 \
	&& $(PY) -m pip install -q --disable-pip-version-check --target $(VENV)/clients/openai-2 --upgrade openai==2.54.0 \
	&& python3 -m venv $(VENV)/litellm \
	&& $(VENV)/litellm/bin/python -m pip install -q --disable-pip-version-check 'litellm[proxy]==1.106.2' \
	|| echo "Not everything that other clients' tests need could be installed."
	@touch $@

demo: $(VENV)/base ## install the base and run the main job: no torch, no model download
	$(VENV)/bin/guard demo

# Its tests start a server of their own as an unprivileged user, and throw it away.
postgres:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && apt-get install -y -qq --no-install-recommends postgresql >/dev/null; } \
	|| echo "PostgreSQL is not installed: the ledger's tests on it will be skipped."

test: $(VENV)/dev $(VENV)/peers postgres ## install everything and run all tests, coverage included
	GUARD_TEST_LITELLM=$(VENV)/litellm/bin/python $(PY) -m pytest -n auto --cov --cov-report=term

lint: $(VENV)/dev ## format check, lint, types, layers
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

.PHONY: help demo postgres test lint
