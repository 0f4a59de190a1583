# Footnote's commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup chat discord web test test-browser quality bench reader soak crashes settings lock audit licences clean
SHELL := /bin/sh

PYTHON ?= python3
# A package index to install torch from, for example PyTorch's CPU index; empty: the default index.
TORCH_INDEX ?=

# Test processes. Three are fastest on two cores, because some tests wait.
WORKERS ?= 3
# The folder of question sets for `make quality` and `make bench`.
SETS ?= ../shared/questions
# More options for `make bench`, such as --against "COMMAND", --growth 1000 10000 100000, --peers .bench.
BENCH ?=
# The duration of `make soak`, and its seed, which `make crashes` uses too.
MINUTES ?= 20
SEED ?= 1
# How many faults `make crashes` samples; empty: every one.
SAMPLE ?= 200

# Where `make reader` keeps what it made so far.
READER ?= .reader

PY := .venv/bin/python
FOOTNOTE := .venv/bin/footnote

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## create .venv and install requirements.lock (TORCH_INDEX=URL: where to get torch)
	@PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" sh ./setup.sh

chat: setup  ## build the index and ask questions in the terminal
	@$(FOOTNOTE) index build
	@$(FOOTNOTE) chat

discord: setup  ## answer on Discord (needs FOOTNOTE_DISCORD_TOKEN)
	@$(FOOTNOTE) index status >/dev/null 2>&1 || $(FOOTNOTE) index build
	@$(FOOTNOTE) discord

web: setup  ## answer in the browser (http://127.0.0.1:8080)
	@$(FOOTNOTE) index status >/dev/null 2>&1 || $(FOOTNOTE) index build
	@$(FOOTNOTE) web

test: setup  ## lint, format, types, import contracts, tests
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal

test-browser: setup  ## try the pages in a real browser (needs Chromium: apt install chromium)
	@$(PY) -m pip install --quiet --disable-pip-version-check playwright==1.65.2
	@$(PY) -m pytest -m browser tests/browser

quality: setup  ## measure answers on the question sets in SETS (docs/quality.md)
	@$(FOOTNOTE) eval $(SETS)/xquad-en $(SETS)/squad2 $(SETS)/clapnq

bench: setup  ## measure speed and memory (docs/performance.md; BENCH=OPTIONS)
	@$(PY) -m benchmarks.performance $(SETS)/xquad-en $(BENCH)

BATCHES := $(basename $(notdir $(wildcard training/data/*.txt)))
TOGETHER := $(filter plain-% natural,$(BATCHES))
PUBLIC := xquad-en squad2 clapnq
EXAMPLES := $(BATCHES:%=%-alone) $(TOGETHER:%=%-among) $(PUBLIC:%=%-public)
FITTED := training/data/*.txt $(SETS)/xquad-en $(SETS)/clapnq
GRAPH = index/reading/data/reader.onnx

$(READER)/%-alone.pkl: training/data/%.txt
	@mkdir -p $(READER)
	@$(PY) -m training.examples $< $@ alone
$(READER)/%-among.pkl: training/data/%.txt
	@$(PY) -m training.examples $< $@ among
$(READER)/%-public.pkl: $(SETS)/%/questions.jsonl
	@$(PY) -m training.examples $(<D) $@ among

reader: setup $(EXAMPLES:%=$(READER)/%.pkl)  ## train the shipped reader again: an hour or two (docs/architecture.md)
	@$(PY) -m training.train $(READER) --sets "$(BATCHES:%=%-alone) $(TOGETHER:%=%-among:0.3) $(PUBLIC:%=%-public)" \
		--dev "$(filter plain-%-alone,$(BATCHES:%=%-alone))"
	@$(PY) -m training.export $(READER)/reader.pt $(GRAPH) $(READER)/plain-a-alone.pkl
	@$(PY) -m training.fit index/search/data/trained.json trained $(FITTED)
	@$(PY) -m training.fit index/search/data/search.json none $(filter $(SETS)/%,$(FITTED))

soak: setup  ## disturb a running service (docs/reliability.md; MINUTES=20, SEED=1)
	@$(PY) -m benchmarks.soak --minutes $(MINUTES) --seed $(SEED)

crashes: setup  ## kill builds, fill the disk, cut the power (docs/reliability.md; SAMPLE=200, empty for all: over an hour)
	@$(PY) -m benchmarks.crashes $(if $(SAMPLE),--sample $(SAMPLE)) --seed $(SEED)

settings: setup  ## write .env.example and the table in docs/settings.md from the code
	@$(PY) -m tools.settings

lock:  ## resolve pyproject.toml again, and write requirements.lock and requirements.hashes
	@sh ./setup.sh --lock

audit:  ## look up known vulnerabilities of the packages in requirements.lock (needs the network)
	@$(PYTHON) -m tools.audit

licences: setup  ## list the licence of every package in requirements.lock
	@$(PY) -m tools.licences

clean:  ## remove the environment and caches, never the index
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
