# Everything a person does here begins with `make`. Each target brings its own environment: .venv, made from the
# hashed requirements-dev.lock and remade only when that file changes. Works with GNU make 3.81 (macOS).

PYTHON ?=
FOR ?=
ARGS ?=
UPGRADE ?=

BIN := .venv/bin
LOCKED := $(shell cat requirements-dev.lock scripts/venv | cksum | cut -d' ' -f1)
VENV := .venv/locked-$(LOCKED)
CODE := autoscaler tests benchmarks scripts

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports dependencies audit image-check bench lock clean

help:
	@echo 'make demo            an emulated Fly, a moving load and the real daemon, live (FOR=30: end after 30 seconds)'
	@echo 'make test            the tests (ARGS="tests/policy -k window": some of them)'
	@echo 'make check           all gates: lint, types, imports, dependencies, audit'
	@echo 'make bench           speed and memory, as a table (ARGS="starts --quick": a part of it)'
	@echo 'make image-check     every step of the Dockerfile, in a clean environment without a container engine'
	@echo 'make lock            write the lock files anew (UPGRADE=1: with newest versions)'
	@echo 'make clean           remove what the other targets made'
	@echo 'PYTHON=python3.12    which interpreter makes .venv; otherwise the first of 3.13, 3.12, 3.11 and python3'

$(VENV):
	@sh scripts/venv .venv '$(PYTHON)'
	@touch $@

demo: $(VENV)
	@$(BIN)/autoscaler demo $(if $(FOR),--for $(FOR)) $(ARGS)

test: $(VENV)
	$(BIN)/pytest $(ARGS)

check: lint types imports dependencies audit

lint: $(VENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)
	$(BIN)/mypy $(CODE)

imports: $(VENV)
	$(BIN)/lint-imports --no-logo

dependencies: $(VENV)
	$(BIN)/deptry .

audit: $(VENV)
	$(BIN)/python -m scripts.audit requirements.lock

image-check: $(VENV)
	$(BIN)/python -m scripts.image

bench: $(VENV)
	$(BIN)/python -m benchmarks $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --strip-extras \
	--generate-hashes --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: $(VENV)
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --output-file requirements-dev.lock --constraints requirements.lock --group dev pyproject.toml
	$(COMPILE) --output-file requirements-build.lock --constraints requirements-dev.lock --group build

clean:
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name .git -prune -o -name __pycache__ -prune -exec rm -rf {} +
