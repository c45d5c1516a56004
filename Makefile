# Everything a newcomer needs is Python >= 3.11 and make. `make help` lists the targets.
PYTHON ?= python3
# The suite on another Python: make test PYTHON=python3.13 VENV=.venv-3.13
VENV   ?= .venv
DEV    := $(VENV)/bin
DEMO   := .venv-demo/bin

.DEFAULT_GOAL := help
.PHONY: help demo check test test-oldest tofu test-engine mutants bench pictures lambda lock clean

# --registry "$REGISTRY" and its like: the shell reads the value, so that no quote in it matters.
option = --$(shell echo $(1) | tr A-Z a-z) "$$$(1)"
export REGISTRY UNHEALTHY CRASHING INSTANCE FRONT ENGINE LOG

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: .venv-demo/ready ## the whole loop on this machine: type /fleet help
	@exec $(DEMO)/python -m sandbox \
	  $(foreach wish,REGISTRY UNHEALTHY CRASHING INSTANCE FRONT ENGINE LOG,$(if $($(wish)),$(call option,$(wish))))

check: $(VENV)/ready ## format, lint, types; what the workflows and tofu/ may say
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/python -m pytest -q tests/static

# Four at a time on two cores: many tests wait for a sandbox's processes.
test: $(VENV)/ready ## every test
	$(DEV)/python -m pytest -n 4 --dist loadgroup

# What runs on a host, where nixpkgs chooses: the bot, its fronts, fleet-control and the boot. Runs and
# the Lambda have what requirements/ pins, or nothing. Without the tests marked `newest`: those whose
# sandbox installs workflow.txt, and what only a newer library does.
test-oldest: .venv-oldest/ready ## the tests of what runs on hosts, on the oldest libraries allowed
	.venv-oldest/bin/python -m pytest -n 4 --dist loadgroup -m "not newest" \
	  tests/clawbot tests/discord tests/fleet_control tests/provision tests/skill tests/telegram

tofu: $(VENV)/ready ## OpenTofu, built once into ~/.cache/clawbot (Go), where none is on PATH
	@$(DEV)/python -m sandbox.engine

test-engine: $(VENV)/ready ## the tests with the real OpenTofu: minutes
	$(DEV)/python -m pytest -n 2 --dist loadfile -o faulthandler_timeout=1800 tests/engine

# make mutants ONLY=lambda_fn/ask.py: of that file alone.
mutants: .venv-mutants/ready ## change one thing at a time: does a test notice? (half an hour)
	.venv-mutants/bin/python -m tests.mutants $(ONLY)

bench: $(VENV)/ready ## measure, and write the table of docs/speed.md
	$(DEV)/python -m bench

pictures: $(VENV)/ready ## draw the pictures of the pages anew (Chromium)
	$(DEV)/python -m docs.pictures.draw docs/pictures

lambda: ## build/control-api.zip, byte for byte the same each time
	$(PYTHON) -m lambda_fn.build build/control-api.zip

lock: .venv-lock/ready ## compile requirements/*.txt anew from pyproject.toml
	.venv-lock/bin/python requirements/compile.py

clean: ## remove what the other targets built
	rm -rf .venv .venv-* build dist .mypy_cache .pytest_cache .ruff_cache

# One environment a purpose, built from hash-pinned requirements when those change.
$(VENV)/ready: requirements/dev.txt
.venv-demo/ready: requirements/demo.txt
.venv-oldest/ready: requirements/oldest.txt
.venv-lock/ready: requirements/lock.txt
.venv-mutants/ready: requirements/mutants.txt
$(VENV)/ready .venv-demo/ready .venv-oldest/ready .venv-lock/ready .venv-mutants/ready: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "clawbot needs Python 3.11 or newer, and $(PYTHON) is not: name one that is, as in make PYTHON=/usr/bin/python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "building $(@D) from $(filter requirements/%,$^) (once)" >&2
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(filter requirements/%,$^)
	@printf '%s\n%s\n' "$(CURDIR)" "$(CURDIR)/skills" > "$$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/clawbot.pth"
	@touch $@
