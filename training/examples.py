"""Question sets to the examples that the reader learns from, made by the product's own search.

    python -m training.examples FILE|SET OUT alone|among

FILE is one of training/data, SET a folder as `footnote eval` reads it. `alone` asks of an index of the
question's own article, `among` of an index of all of them.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from bot.settings import BotSettings
from evaluation.asking import open_answerer
from index.articles.article import Article
from index.build import build_index
from index.encoding.encoder import Encoder, unit
from index.reading.evidence import gather
from index.search.hits import Found
from index.storage.local import open_store
from index.storage.store import Store

_FIELDS = ("title", "author", "publisher", "published", "url", "form", "lang")
_PUBLIC = re.compile(r"(?:xquad-en|squad2|clapnq)-(.*)", re.DOTALL)
_HITS = 8  # of a question; the reader reads fewer
_SHORT = 12  # characters of an answer that may stand in a text by chance


@dataclass
class Example:
    """A question with its hits as evidence (see index.reading.evidence), and which parts answer it.

    `tokens` (T, W) are the hits' vectors one after the other, as bytes; `parts`, `words` and `shapes` are
    theirs, `sizes` is the number of each hit's. `label` (N, P) tells which parts answer, `span` is the hit,
    and the first and last token in it, of an answer's words; `best` is for each hit the part that search
    holds the best.
    """

    id: str
    article: str
    kind: str
    answerable: bool
    text: str
    question: npt.NDArray[np.float16]
    terms: npt.NDArray[np.float32]
    tokens: npt.NDArray[np.int8]
    sizes: list[int]
    parts: npt.NDArray[np.int16]
    matches: npt.NDArray[np.float16]
    titles: npt.NDArray[np.float16]
    asked_words: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    shapes: npt.NDArray[np.bool_]
    features: npt.NDArray[np.float32]
    quotable: npt.NDArray[np.bool_]
    label: npt.NDArray[np.bool_]
    span: tuple[int, int, int] | None
    best: list[int]
    sentences: list[list[str]]

    def tokens_of(self, hit: int) -> npt.NDArray[np.float32]:
        """Return the token vectors of a hit, of length 1."""
        first = sum(self.sizes[:hit])
        return unit(self.tokens[first : first + self.sizes[hit]].astype(np.float32))

    def of_hit(self, name: str, hit: int) -> npt.NDArray[Any]:
        """Return the rows of a hit's tokens in `parts`, `words` or `shapes`."""
        first = sum(self.sizes[:hit])
        rows: npt.NDArray[Any] = getattr(self, name)[first : first + self.sizes[hit]]
        return rows


def is_dev(article: str) -> bool:
    """Tell whether an article is for choosing between networks and fitting the confidence only."""
    return _PUBLIC.match(article) is None and int(hashlib.sha256(article.encode()).hexdigest(), 16) % 7 == 0


def is_report(article: str) -> bool:
    """Tell whether a public set's article is for reporting only: a quarter, alike in sets that share it."""
    name = _PUBLIC.match(article)
    return name is not None and int(hashlib.sha256(name[1].encode()).hexdigest(), 16) % 4 == 0


def is_held_out(article: str) -> bool:
    """Tell whether the reader must not learn from an article."""
    return is_dev(article) or is_report(article)


def read_text_form(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the articles and the questions of a file of training/data."""
    articles, questions = [], []
    for block in re.split(r"(?m)^=== ", file.read_text(encoding="utf-8"))[1:]:
        head, _, rest = block.partition("\n")
        name = head.partition("|")[0].strip()
        body, _, asked = rest.partition("\n--- questions")
        lines, fields = body.split("\n"), {}
        while lines and (field := re.match(rf"({'|'.join(_FIELDS)}): (.*)", lines[0])):
            fields[field[1]] = field[2].strip()
            del lines[0]
        articles.append({"id": name, **fields, "text": "\n".join(lines).strip("\n")})
        for number, line in enumerate(filter(None, map(str.strip, asked.split("\n")))):
            if question := re.match(r"([a-z]+)([+-]) (.+)$", line):
                text, _, answers = question[3].partition(" => ")
                questions.append(
                    {
                        "id": f"{name}-{number}",
                        "kind": question[1],
                        "answerable": question[2] == "+",
                        "question": text.strip(),
                        "article": name,
                        "answers": [each.strip() for each in answers.split(" || ") if each.strip()],
                        "paragraph": None,
                    }
                )
    return articles, questions


def read_set(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the articles and the questions of a file of training/data, or of a folder."""
    if not path.is_dir():
        return read_text_form(path)
    articles, questions = (
        [json.loads(line) for line in (path / name).open(encoding="utf-8")]
        for name in ("articles.jsonl", "questions.jsonl")
    )
    return articles, questions


def answer_spans(article: Article, question: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Return (paragraph, start, end) of where each answer stands; paragraph 0 is the heading."""
    spans: list[tuple[int, int, int]] = []
    gold = None if question.get("paragraph") is None else question["paragraph"] + 1
    places = [(0, 0, article.heading)]
    places += [(each.number, each.start, article.text[each.start : each.end]) for each in article.paragraphs]
    for number, answer in enumerate(question["answers"]):
        pattern = re.compile(r"\s+".join(map(re.escape, answer.split())))
        found = [
            (paragraph, first + match.start(), first + match.end())
            for paragraph, first, text in places
            for match in pattern.finditer(text)
        ]
        if gold is None:
            found = found if len(answer) >= _SHORT else found[:1]
        elif number == 0 or len(answer) < _SHORT:
            found = [one for one in found if one[0] == gold] or (found if len(answer) >= _SHORT else [])
        spans += found
    return spans


def make_example(
    found: Found, store: Store, encoder: Encoder, question: dict[str, Any], gold: Article | None
) -> Example | None:
    """Return what a search found for a question as an example; None where it found nothing."""
    if not found.hits:
        return None
    evidence = gather(found, store, encoder, _HITS)
    hits = found.hits[:_HITS]
    counts = [hit.stored.token_counts for hit in hits if hit.stored is not None]
    label = np.zeros(evidence.quotable.shape, dtype=np.bool_)
    spans = answer_spans(gold, question) if gold is not None and question["answerable"] else []
    span = None
    for at, hit in enumerate(hits):
        for place, part in enumerate(hit.sentences, len(hit.leads)):
            for paragraph, start, end in spans if gold is not None and hit.article.id == gold.id else ():
                if (paragraph == 0) == (part.paragraph == 0) and part.start <= start < part.end:
                    label[at, place] = evidence.quotable[at, place]
                    if span is None and (ends := _tokens_at(encoder, part, counts[at][place], start, end)):
                        before = sum(counts[at][:place])
                        span = at, before + ends[0], before + ends[1]
    sizes = [sum(each) for each in counts]
    rows = np.concatenate([evidence.tokens[at, :size] for at, size in enumerate(sizes)])
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-9)
    return Example(
        id=question["id"],
        article=question["article"],
        kind=question.get("kind", ""),
        answerable=question["answerable"],
        text=question["question"],
        question=evidence.question.astype(np.float16),
        terms=evidence.terms,
        tokens=np.round(rows * 127 / largest).astype(np.int8),
        sizes=sizes,
        parts=np.concatenate([evidence.parts[at, :size] for at, size in enumerate(sizes)]).astype(np.int16),
        matches=evidence.matches.astype(np.float16),
        titles=evidence.titles.astype(np.float16),
        asked_words=evidence.asked_words,
        words=np.concatenate([evidence.words[at, :size] for at, size in enumerate(sizes)]).astype(np.int32),
        shapes=np.concatenate([evidence.shapes[at, :size] for at, size in enumerate(sizes)]).astype(np.bool_),
        features=evidence.features,
        quotable=evidence.quotable,
        label=label,
        span=span,
        best=[len(hit.leads) + hit.sentences.index(hit.best_sentence) for hit in hits],
        sentences=[[part.text for part in (*hit.leads, *hit.sentences)] for hit in hits],
    )


def _tokens_at(encoder: Encoder, part: Any, count: int, start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token of a part that stand between two places of the article."""
    spans = encoder.tokenize(part.text)[1].tolist()
    inside = [at for at, (a, b) in enumerate(spans) if part.start + a < end and part.start + b > start]
    return (inside[0], inside[-1]) if len(spans) == count and inside else None


def write_article(folder: Path, article: dict[str, Any]) -> None:
    """Write an article in the form in which it was written: Markdown, or plain text in JSON Lines."""
    fields = {
        name: article[name]
        for name in ("title", "author", "publisher", "published", "url")
        if article.get(name)
    }
    file = folder / article["id"].replace("/", "-")
    if article.get("form") == "markdown":
        text = f"---\n{yaml.safe_dump(fields, allow_unicode=True)}---\n\n{article['text']}\n"
        file.with_name(f"{file.name}.md").write_text(text, encoding="utf-8")
    else:
        line = json.dumps({**fields, "id": article["id"], "text": article["text"]}, ensure_ascii=False)
        file.with_name(f"{file.name}.jsonl").write_text(f"{line}\n", encoding="utf-8")


def make_examples(path: Path, *, alone: bool) -> Iterator[Example]:
    """Yield the examples of a set."""
    articles, questions = read_set(path)
    asked: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for question in questions:
        asked[question["article"]].append(question)
    encoder = None
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for group in [[article] for article in articles] if alone else [articles]:
            shutil.rmtree(home / "articles", ignore_errors=True)
            (home / "articles").mkdir()
            for article in group:
                write_article(home / "articles", article)
            settings = BotSettings(articles=home / "articles", index=home / "index")
            build_index(settings, encoder=encoder, force=True)
            store = open_store(settings.index)
            with closing(open_answerer(store, settings)) as answerer:
                encoder = answerer.search.encoder
                golds = {each.id.removesuffix(".md"): each for each in store.articles(range(len(group)))}
                for question in (question for article in group for question in asked[article["id"]]):
                    gold = golds.get(question["article"])
                    if example := make_example(
                        answerer.search(question["question"]), store, encoder, question, gold
                    ):
                        yield example


def main(arguments: Sequence[str]) -> None:
    """Write a set's examples."""
    path, out, how = arguments
    examples = list(make_examples(Path(path), alone=how == "alone"))
    with Path(out).open("wb") as file:
        pickle.dump(examples, file, protocol=5)
    missed = sum(one.answerable and not one.label.any() for one in examples)
    print(out, len(examples), "examples; of", missed, "the answer was not found", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
