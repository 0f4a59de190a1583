"""Where a question's milliseconds go.

    python -m benchmarks.profile_question SET [--limit 300] [--small INDEX]

SET is a folder with a question set. Its index is made anew by the installed program. The
methods of each stage are timed; a stage inside another is taken out of it. What is left is the rest: what is
called between the stages, and the timers themselves. Printed is a Markdown table.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.processes import build_index, quantile
from benchmarks.stages import Stages
from bot.service.answerer import Serving
from bot.settings import BotSettings

_WARMING = 20
_SEED = 1
ENCODING = "encode the question"
STAGES = (
    (ENCODING, "index.encoding.encoder", "Encoder.encode_question"),
    ("read the question", "index.search.question", "QuestionReader.read"),
    ("count its words", "index.storage.local", "Generation.counts"),
    ("dense search", "index.storage.local", "Generation.nearest"),
    ("dense search", "index.storage.local", "Generation.cosines"),
    ("lexical search", "index.storage.local", "Generation.best_in_words"),
    ("read passages and token vectors", "index.storage.local", "Generation.passages"),
    ("read passages and token vectors", "index.storage.local", "Generation.token_vectors"),
    ("weigh the candidates", "index.search", "Search._weigh"),
    ("read the articles", "index.storage.local", "Generation.articles"),
    ("words in the hits", "index.storage.local", "Generation.have"),
    ("make the hits", "index.search", "Search._hits"),
    ("quote, judge and cite", "bot.service.answerer", "answer"),
)
"""What is timed, by the module and the name that it is called by there."""
REST = "the rest"


def watch_all(stages: Stages) -> list[str]:
    """Time the stages; return those that there are no such functions of any more."""
    missing = []
    for stage, module, name in STAGES:
        owner: object = importlib.import_module(module)
        *outer, last = name.split(".")
        for one in outer:
            owner = getattr(owner, one, None)
        if hasattr(owner, last):
            stages.watch(owner, last, stage)
        else:
            missing.append(f"{module}.{name}")
    return missing


def ask(serving: Serving, stages: Stages, questions: Sequence[str]) -> list[dict[str, float]]:
    """Return of each question the milliseconds that it was in each stage."""
    for question in questions[:_WARMING]:
        serving.answer(question, None, None)
    asked = []
    for question in questions:
        stages.start()
        begun = time.perf_counter()
        serving.answer(question, None, None)
        whole = 1000 * (time.perf_counter() - begun)
        asked.append({**stages.spent, REST: whole - sum(stages.spent.values())})
    return asked


def table(asked: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """Yield a Markdown table: a row a stage, with its mean, median and 99th percentile, and its share."""
    total = [sum(one.values()) for one in asked]
    yield "| stage | mean ms | p50 ms | p99 ms | share |"
    yield "| --- | --- | --- | --- | --- |"
    for stage in (*asked[0], "all"):
        took = total if stage == "all" else [one[stage] for one in asked]
        mean = sum(took) / len(took)
        share = sum(took) / sum(total)
        middle, slow = quantile(took, 0.5), quantile(took, 0.99)
        yield f"| {stage} | {mean:.2f} | {middle:.2f} | {slow:.2f} | {share:.0%} |"


def in_proportion(asked: Sequence[Mapping[str, float]]) -> str:
    """Return how the whole compares with encoding alone, and the slowest questions with the others."""
    whole = [sum(one.values()) for one in asked]
    middle = quantile(whole, 0.5)
    encoding = middle / quantile([one[ENCODING] for one in asked], 0.5)
    slowest = quantile(whole, 0.99) / middle
    return (
        f"The p50 is {encoding:.2f} times that of encoding alone (target: at most 1.5), and the p99 "
        f"{slowest:.2f} times the p50 (at most 3)."
    )


def main() -> None:
    """Build, ask, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--small", type=Path, help="an index to take the encoder's graph from")
    given = parser.parse_args()
    lines = (given.set / "questions.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["question"] for line in lines]
    texts = random.Random(_SEED).sample(texts, min(given.limit, len(texts)))  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as home:
        index = Path(home) / "index"
        build_index(given.set.resolve() / "articles.jsonl", index, given.small)
        stages = Stages()
        missing = watch_all(stages)
        serving = Serving.first(BotSettings.load(index=index))
        print(
            f"{len(texts)} questions of {given.set.name}, {serving.generation.manifest.passages} passages:\n"
        )
        asked = ask(serving, stages, texts)
        print("\n".join(table(asked)), end="\n\n")
        print(in_proportion(asked))
        if missing:
            print(f"\nNot found, and so in another row: {', '.join(missing)}.")


if __name__ == "__main__":
    main()
