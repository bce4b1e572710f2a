# liuyu: `make up` starts the twin, `make test` proves it. Nothing but Python 3.11+ is needed beforehand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := pyproject.toml hatch_build.py $(shell find page -type f -not -path '*/node_modules/*' 2>/dev/null)
ARGS ?=

.PHONY: up test check validate bench docs clean

up: $(READY)
	$(BIN)/liuyu up $(ARGS)

test: $(VENV)/.tested check
	$(BIN)/python -m tests.setup_browser
	$(BIN)/python -m tests.setup_postgres
	$(BIN)/pytest -n 2 --dist loadfile -m "not slow" $(ARGS)

check: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

validate: $(VENV)/.tested
	$(BIN)/python -m tests.setup_browser
	$(BIN)/python -m tests.setup_postgres
	$(BIN)/pytest -m slow $(ARGS)
	set -e; for each in validation/*/*.py; do echo "== $$each"; $(BIN)/python $$each; done

bench: $(VENV)/.tested
	set -e; for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each; done

docs: $(VENV)/.tested
	$(BIN)/pytest tests/house $(ARGS)

clean:
	rm -rf $(VENV) node_modules page/node_modules src/liuyu/web/static

# An environment with the twin and its page; made again when what it is built from changes.
$(READY): $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m liuyu.monitor.quality.warm
	touch $@

$(VENV)/.tested: $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@
