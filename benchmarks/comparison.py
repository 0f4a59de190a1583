"""Footnote beside its peers: the same weights, passages and questions, one process after the other.

    python -m benchmarks.comparison SET [--limit N] [--environments FOLDER] [--starts N] [--small INDEX]

SET is a folder with a question set; its answerable questions are asked (--limit draws some). The passages are
those that Footnote makes, without the headings, which Footnote alone searches too. Every peer is run by
`benchmarks.peers.run` in the environment of its name; one that fails is reported with its error. A passage is
right when it is of the gold article and has a sentence of the gold paragraph. Printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import (
    PROGRAM,
    ROOT,
    FailedError,
    bare_environment,
    build_index,
    build_small,
    megabytes,
    quantile,
    run,
)

PEERS = ("txtai", "langchain", "llamaindex", "haystack")
MODES = ("dense", "hybrid")
ENVIRONMENTS = ROOT / ".bench"
_SEED = 1
_RUN = ("-m", "benchmarks.peers.run")
_SAVED_FOR_BOTH = ("langchain", "llamaindex", "haystack")
"""Peers whose saved index serves either mode, so that it is made once."""
_MODEL = "from index import find_model; print(find_model('all-MiniLM-L6-v2').folder)"
_VERSIONS = (
    "import importlib.metadata as m, json, sys; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)
_NAMED = {
    "footnote": ("footnote", "onnxruntime", "tokenizers", "faiss-cpu"),
    "txtai": ("txtai", "torch", "transformers", "sentence-transformers"),
    "langchain": ("langchain-classic", "langchain-core", "langchain-community", "langchain-huggingface"),
    "llamaindex": ("llama-index-core", "llama-index-embeddings-huggingface", "bm25s"),
    "haystack": ("haystack-ai", "sentence-transformers-haystack"),
}
"""Which packages' versions are told, after the peer."""


class Bench:
    """One question set, its passages and questions written out, and what they are asked of."""

    def __init__(self, questions: Path, home: Path, environments: Path, limit: int | None) -> None:
        self._articles = questions / "articles.jsonl"
        self._home = home
        self._environments = environments
        self._model = run([sys.executable, "-c", _MODEL], bare_environment()).out.strip()
        lines = map(json.loads, (questions / "questions.jsonl").read_text("utf-8").splitlines())
        self._asked = [one for one in lines if one["answerable"] and one.get("paragraph") is not None]
        if limit and limit < len(self._asked):
            self._asked = random.Random(_SEED).sample(self._asked, limit)  # noqa: S311 - no secret
        self._questions = home / "questions.jsonl"
        self._questions.write_text("".join(json.dumps(one) + "\n" for one in self._asked), "utf-8")
        self._passages = home / "passages.jsonl"
        self.size: dict[str, int] = {"questions": len(self._asked)}

    def footnote(self, starts: int, small: Path) -> dict[str, Any]:
        """Build Footnote's index, write the passages out for the peers, and ask."""
        folder = self._home / "footnote"
        built = build_index(self._articles, folder, small)
        self._write_passages(folder)
        figures = self._ask("footnote", "footnote", sys.executable, folder)
        question = self._asked[0]["question"]
        command = [PROGRAM, "ask", "--json", question, "--index", folder]
        programs = [run(command, bare_environment()) for _ in range(starts)]
        return figures | {
            "mode": "footnote",
            "build_s": built.seconds,
            "build_mb": built.peak_mb,
            "index_mb": megabytes(folder) - megabytes(folder / "models"),
            "graph_mb": megabytes(folder / "models"),
            "program_s": statistics.median(one.seconds for one in programs),
            "program_mb": statistics.median(one.peak_mb for one in programs),
        }

    def peer(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield a peer's figures in each mode, or its error."""
        python = self._environments / name / "bin" / "python"
        built: dict[str, Any] = {}
        for mode in reversed(MODES):
            folder = self._home / name / mode
            kept = self._home / name / MODES[-1] if name in _SAVED_FOR_BOTH else folder
            try:
                if not python.exists():
                    raise FailedError(f"no environment in {python.parents[1]}: run `make bench-peers`")
                if not kept.exists():
                    kept.mkdir(parents=True)
                    build: list[str | Path] = [python, *_RUN, name, "build", kept, mode, self._passages]
                    ran = run(build, self._environment())
                    built = {"build_s": ran.seconds, "build_mb": ran.peak_mb, "index_mb": megabytes(kept)}
                yield {"mode": mode, **built, **self._ask(name, mode, python, kept)}
            except FailedError as error:
                yield {"peer": name, "mode": mode, "error": str(error)}

    def _write_passages(self, folder: Path) -> None:
        shown = run([PROGRAM, "index", "show", "--passages", "--json", "--index", folder], bare_environment())
        passages = list(passages_of(map(json.loads, shown.out.splitlines())))
        self._passages.write_text("".join(json.dumps(one) + "\n" for one in passages), "utf-8")
        self._paragraphs = {one["id"]: (one["article"], one["paragraphs"]) for one in passages}
        self.size["passages"] = len(passages)

    def _ask(self, name: str, mode: str, python: str | Path, folder: Path) -> dict[str, Any]:
        versions = json.loads(run([python, "-c", _VERSIONS], self._environment()).out)
        ask = [python, *_RUN, name, "ask", folder, mode, self._questions]
        ran = run([*ask, str(time.time())], self._environment())
        found = json.loads(ran.out.splitlines()[-1])
        gold = [(one["article"], one["paragraph"] + 1) for one in self._asked]
        return {
            "peer": name,
            "versions": {one: versions[one] for one in _NAMED[name] if one in versions},
            "import_s": found["import_s"],
            "cold_s": found["cold_s"],
            "ms_p50": quantile(found["took_ms"], 0.5),
            "ms_p99": quantile(found["took_ms"], 0.99),
            "peak_mb": ran.peak_mb,
            **scores(found["ranked"], gold, self._paragraphs),
        }

    def _environment(self) -> dict[str, str]:
        return bare_environment(BENCH_MODEL=self._model)


def passages_of(shown: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the passages of what `footnote index show --passages --json` prints, without the headings."""
    for article in shown:
        for one in article["passages"]:
            if one["paragraphs"] != [0]:
                yield {
                    "id": f"{article['id']}#{one['start']}",
                    "text": article["text"][one["start"] : one["end"]],
                    "article": article["id"],
                    "paragraphs": one["paragraphs"],
                }


def scores(
    ranked: Sequence[Sequence[str]],
    gold: Sequence[tuple[str, int]],
    paragraphs: Mapping[str, tuple[str, Sequence[int]]],
) -> dict[str, float]:
    """Return the share of questions with a right passage first, and among the first 10.

    `gold` has each question's article and paragraph (from 1), and `paragraphs` those of each passage; a
    passage that is not in there is wrong.
    """

    def right(passage: str, article: str, paragraph: int) -> bool:
        own, numbers = paragraphs.get(passage, ("", ()))
        return own == article and paragraph in numbers

    found = [[right(one, *place) for one in first[:10]] for first, place in zip(ranked, gold, strict=True)]
    return {
        "top_1": sum(any(one[:1]) for one in found) / len(found),
        "recall_10": sum(any(one) for one in found) / len(found),
    }


def compare(bench: Bench, starts: int, small: Path) -> list[dict[str, Any]]:
    """Return the figures of a set: Footnote's, then each peer's in each mode."""
    rows = [bench.footnote(starts, small)]
    for name in PEERS:
        print(f"comparing: {name}", file=sys.stderr)
        rows += bench.peer(name)
    return rows


def main() -> None:
    """Measure one set and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS)
    parser.add_argument("--starts", type=int, default=3, help="starts of the program that the median is of")
    parser.add_argument("--small", type=Path, help="an index to take the encoder's graph from")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        small = given.small or home / "small"
        if not given.small:
            build_small(small)
        bench = Bench(given.set.resolve(), home, given.environments.resolve(), given.limit)
        rows = compare(bench, given.starts, small)
        print(json.dumps({"set": given.set.resolve().name, **bench.size, "rows": rows}))


if __name__ == "__main__":
    main()
