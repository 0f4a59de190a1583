# Footnote's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup chat discord test quality bench soak crashes settings lock audit licences clean
SHELL := /bin/sh

PYTHON ?= python3
# A package index to take torch from, for example PyTorch's own CPU index; empty: the usual one.
TORCH_INDEX ?=

# Test processes: on two cores, three are fastest, since some tests wait.
WORKERS ?= 3
# The folder of the question sets that `make quality` and `make bench` ask.
SETS ?= ../shared/questions
# More options for `make bench`, such as --against "COMMAND", --growth 1000 10000 100000, --peers .bench.
BENCH ?=
# How long `make soak` goes on; its seed, which is that of `make crashes` too.
MINUTES ?= 20
SEED ?= 1
# How many of all faults `make crashes` tries; empty: every one of them.
SAMPLE ?= 200

PY := .venv/bin/python
FOOTNOTE := .venv/bin/footnote

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## create .venv and install what requirements.lock names (TORCH_INDEX=URL: take torch from there)
	@PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" sh ./setup.sh

chat: setup  ## ask questions here in the terminal
	@$(FOOTNOTE) index build
	@$(FOOTNOTE) chat

discord: setup  ## answer on Discord (needs FOOTNOTE_DISCORD_TOKEN)
	@$(FOOTNOTE) index status >/dev/null 2>&1 || $(FOOTNOTE) index build
	@$(FOOTNOTE) discord

test: setup  ## lint, format, types, import contract, tests
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal

quality: setup  ## measure answers on the question sets in SETS (docs/quality.md)
	@$(FOOTNOTE) eval $(SETS)/xquad-en $(SETS)/squad2 $(SETS)/clapnq

bench: setup  ## measure speed and memory (docs/performance.md; BENCH=OPTIONS: beside others, growth)
	@$(PY) -m benchmarks.performance $(SETS)/xquad-en $(BENCH)

soak: setup  ## play trouble on a running service (docs/reliability.md; MINUTES=20, SEED=1)
	@$(PY) -m benchmarks.soak --minutes $(MINUTES) --seed $(SEED)

crashes: setup  ## kill, starve and cut off builds (docs/reliability.md; SAMPLE=200, or empty for all: over an hour)
	@$(PY) -m benchmarks.crashes $(if $(SAMPLE),--sample $(SAMPLE)) --seed $(SEED)

settings: setup  ## write .env.example and the table of docs/settings.md from the settings' fields
	@$(PY) -m tools.settings

lock:  ## resolve pyproject.toml anew and write requirements.lock and requirements.hashes
	@sh ./setup.sh --lock

audit:  ## look up known vulnerabilities of the packages in requirements.lock (asks the package index)
	@$(PYTHON) -m tools.audit

licences: setup  ## list the licence of every package in requirements.lock
	@$(PY) -m tools.licences

clean:  ## remove the environment and caches, never the index
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
