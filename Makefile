# Footnote's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup chat discord test quality bench bench-full bench-peers load soak reliability settings lock hashes audit licences clean
SHELL := /bin/sh

PYTHON ?= python3
# A package index to take torch from, for example PyTorch's own CPU index; empty: the usual one.
TORCH_INDEX ?=

# The folder of the question sets that `make quality` and `make bench` ask.
SETS ?= ../shared/questions
# How long `make soak` goes on, and the seed of what it plays.
MINUTES ?= 20
SEED ?= 1
# Where the environments of the peers are that `make bench` compares with: 1 to 2 GB each.
PEERS ?= .bench

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
	@$(PY) -m pytest -n 4 --dist loadfile

quality: setup  ## measure answers on the question sets in SETS (docs/quality.md has the figures)
	@$(FOOTNOTE) eval $(SETS)/xquad-en $(SETS)/squad2 $(SETS)/clapnq

bench: bench-peers  ## measure speed and memory beside other libraries, in ten minutes (docs/performance.md)
	@$(PY) -m benchmarks.performance $(SETS) --environments $(PEERS)

bench-full: bench-peers  ## the same on every set, and growth up to a million passages (hours; 25 GB of disk)
	@$(PY) -m benchmarks.performance $(SETS) --environments $(PEERS) --full

bench-peers: setup  ## make the other libraries' environments in PEERS, where there are none (several GB)
	@$(PY) -m benchmarks.environments $(PEERS)

load: setup  ## measure how it bears load: a burst on Discord, 10,000 questions, 100 rebuilds (20 minutes)
	@$(PY) -m benchmarks.load

soak: setup  ## play random trouble on a running service (MINUTES=20, SEED=1)
	@$(PY) -m benchmarks.soak --minutes $(MINUTES) --seed $(SEED)

reliability: setup  ## run what proves each row of docs/reliability.md, and write it anew (an hour)
	@$(PY) -m benchmarks.reliability

settings: setup  ## write .env.example and the table of docs/settings.md from the settings' fields
	@$(PY) -m tools.settings

lock:  ## resolve pyproject.toml anew and write requirements.lock and requirements.hashes
	@sh ./setup.sh --lock

hashes:  ## write requirements.hashes anew to requirements.lock as it is
	@sh ./setup.sh --hashes

audit:  ## look up known vulnerabilities of what requirements.lock names (asks the package index)
	@$(PYTHON) -m tools.audit

licences: setup  ## write docs/licences.md: the licence of everything that requirements.lock names
	@$(PY) -m tools.licences > docs/licences.md

clean:  ## remove the environment and caches, never the index
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
