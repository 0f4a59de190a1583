"""How Footnote grows: the same measures at 1,000 passages, 10,000 and so on.

Articles are made of the sentences of a question set, and the encoder has one small layer of random weights: a
passage costs a few milliseconds instead of 60, its vectors have the usual sizes, and all else is as always.
So what is found means nothing here; times leave out most of what a real encoder takes, the same for each
passage and each question whatever the size.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.processes import (
    ROOT,
    Command,
    Footnote,
    draw_questions,
    megabytes,
    number,
    quantile,
    run,
    table,
    weights,
)

__all__ = ["SENTENCES", "WARMING", "measure", "prepare", "report", "write_articles"]

Row = dict[str, float]

WARMING = 20
"""Questions asked first and not counted."""

_QUESTIONS = 300
_PARAGRAPHS, SENTENCES = 9, 5
"""Of each article; with its heading that is about ten passages."""
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru".split()


def measure(command: Command, folder: Path, sizes: Sequence[int], home: Path) -> list[Row]:
    """Return the figures at each size, in passages."""
    version, questions = prepare(command, folder, home)
    rows = []
    for size in sorted(sizes):
        print(f"growing: {size:,} passages", file=sys.stderr)
        articles = home / "growth.jsonl"
        write_articles(articles, folder, size)
        version.empty()
        rows.append(_measure_one(version, articles, questions))
    return rows


def prepare(command: Command, folder: Path, home: Path) -> tuple[Footnote, Path]:
    """Return a version with the small encoder in its index, and a file of questions of a set."""
    model = home / "model"
    # In a process of its own, since it imports torch: see `run`.
    run([sys.executable, "-m", "benchmarks.growth", model])
    questions = home / "growth-questions.jsonl"
    drawn = [{"question": one["question"]} for one in draw_questions(folder, _QUESTIONS + WARMING)]
    questions.write_text("".join(json.dumps(one) + "\n" for one in drawn), "utf-8")
    version = Footnote(command, home / "growth", str(model))
    version.build(ROOT / "articles")  # exports the encoder
    return version, questions


def _measure_one(version: Footnote, articles: Path, questions: Path) -> Row:
    built = version.build(articles)
    once = version.run("ask", "Who was it?")
    asked = version.run("ask", "--json", "--questions", questions)
    took = [json.loads(line)["elapsed_ms"] for line in asked.out.splitlines()[WARMING:]]
    passages = version.passages()
    size = megabytes(version.index)
    _change_one(articles)
    changed = version.build(articles)
    return {
        "passages": passages,
        "build, s": built.seconds,
        "its peak memory, MB": built.peak_mb,
        "index, MB": size,
        "bytes a passage": 1e6 * size / passages,
        "one article changed, s": changed.seconds,
        "its peak memory then, MB": changed.peak_mb,
        "cold start, s": once.first_line,
        "peak memory, MB": asked.peak_mb,
        "question p50, ms": quantile(took, 0.5),
        "p99, ms": quantile(took, 0.99),
    }


def write_articles(file: Path, folder: Path, passages: int) -> None:
    """Write articles that come to about so many passages, made of those of a set.

    A paragraph's sentences are drawn from two articles, so that it keeps to few subjects, as real ones do.
    The author's name is made up, so that the vocabulary grows with the collection. A line is written at a
    time, since what is measured starts with the memory of this process: see `run`.
    """
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{line}\n" for line in _made(folder, passages))


def _change_one(file: Path) -> None:
    """Add a paragraph to the first article."""
    changed = file.with_suffix(".changed")
    with file.open(encoding="utf-8") as lines, changed.open("w", encoding="utf-8") as out:
        first = json.loads(next(lines))
        out.write(json.dumps({**first, "text": first["text"] + "\n\nThis was added."}) + "\n")
        out.writelines(lines)
    changed.replace(file)


def _made(folder: Path, passages: int) -> Iterator[str]:
    chance = random.Random(passages)  # noqa: S311 - made-up text
    articles = map(json.loads, (folder / "articles.jsonl").read_text("utf-8").splitlines())
    sources = [re.split(r"(?<=[.!?])\s+", one["text"]) for one in articles]
    for article_number in range(-(-passages // (_PARAGRAPHS + 1))):
        paragraphs = []
        for _ in range(_PARAGRAPHS):
            pool = [sentence for source in chance.sample(sources, 2) for sentence in source]
            paragraphs.append(" ".join(chance.choices(pool, k=SENTENCES)))
        author = " ".join("".join(chance.choices(_SYLLABLES, k=3)).title() for _ in range(2))
        title = " ".join(chance.choice(chance.choice(sources)).split()[:6])
        article = {
            "id": f"a{article_number}",
            "title": title,
            "author": author,
            "text": "\n\n".join(paragraphs),
        }
        yield json.dumps(article)


def save_model(folder: Path) -> None:
    """Save the encoder with one layer of random weights, and the default encoder's vocabulary and size."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(num_hidden_layers=1, hidden_size=384, intermediate_size=64, num_attention_heads=12)
    layer = folder.with_name("layer")
    BertModel(config).save_pretrained(layer)
    AutoTokenizer.from_pretrained(weights()).save_pretrained(layer)
    modules = [Transformer(str(layer), max_seq_length=256), Pooling(384, "mean"), Normalize()]
    SentenceTransformer(modules=modules).save(str(folder), create_model_card=False)


def report(rows: Sequence[Row]) -> str:
    """Return the figures as a table."""
    return table(list(rows[0]), [[number(value) for value in row.values()] for row in rows])


if __name__ == "__main__":
    save_model(Path(sys.argv[1]))
