"""A question set asked of a real index: the one place here that knows how to build, search and answer."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.answering.answer import Answer, Quote, answer
from bot.answering.confidence import find_judge
from bot.settings import BotSettings
from evaluation.questions import Question
from evaluation.records import Asked, Kind
from evaluation.sets import QuestionSet
from index.articles.reading import Article
from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.onnx_encoder import OnnxEncoder
from index.progress import Progress
from index.search.search import Search
from index.search.signals import judged
from index.storage.local import open_generation

__all__ = ["Tell", "ask_set"]

Tell = Callable[[Progress], None]
_Signals = tuple[tuple[str, float], ...]

_SHOWN = 1
"""Quotes that the surfaces show as the answer."""

_CITED = 10
_QUICK = {"reading", "writing"}
_FIELDS = ("id", "title", "author", "publisher", "url", "published", "text")


def ask_set(  # noqa: PLR0913 - what is asked, of what, and how
    questions: QuestionSet,
    settings: BotSettings,
    encoder: Encoder,
    progress: Tell,
    *,
    kept: Path | None = None,
    others: bool = True,
) -> list[Asked]:
    """Ask every question of an index of the set's articles, then the answerable ones of other subjects.

    For the latter the articles are parted into two halves by sorted id, and each half is asked the questions
    on the other one; questions on articles of both halves, or on none that is known, are left out. The
    indexes are built in `kept`, for another run to find there, or else thrown away. Without `others`, no
    question is asked of another subject.

    Raises:
        FootnoteError: the articles cannot be indexed, or the index cannot be written.
    """
    halves = list(_halves(questions)) if others else []
    total = len(questions.questions) + sum(len(asked) for _, asked in halves)
    asking = _Asking(questions, settings, encoder, _named(progress, questions.name), total)
    with tempfile.TemporaryDirectory(prefix="footnote-eval-") as folder:
        home = kept or Path(folder)
        source = questions.source or _write(home / "articles.jsonl", questions.articles)
        whole = home / "index"
        found = asking.ask(questions.questions, source, whole)
        for number, (articles, asked) in enumerate(halves, 1):
            source = _write(home / f"half-{number}.jsonl", articles)
            # Built upon a copy of the whole: what was encoded for that is not encoded again.
            index = home / f"half-{number}"
            if not index.exists():
                shutil.copytree(whole, index)
            found += asking.ask(asked, source, index, other=True)
    return found


def _halves(questions: QuestionSet) -> Iterator[tuple[list[Article], list[Question]]]:
    """Yield the articles of each half with the questions on the other one; none where one article is all."""
    ids = sorted(article.id for article in questions.articles)
    for kept in (set(ids[::2]), set(ids[1::2])) if len(ids) > 1 else ():
        articles = [article for article in questions.articles if article.id in kept]
        asked = [
            one for one in questions.questions if one.answerable and one.subjects and not one.subjects & kept
        ]
        yield articles, asked


def _named(progress: Tell, name: str) -> Tell:
    """Return a progress that says whose stage it is, without those that are over at once."""
    label = name.translate({ord("["): "(", ord("]"): ")"})  # square brackets would steer the bar

    def tell(step: Progress) -> None:
        if step.stage not in _QUICK:
            progress(Progress(f"{label}: {step.stage}", step.done, step.total))

    return tell


def _write(file: Path, articles: Iterable[Article]) -> Path:
    """Write articles as JSON Lines; the heading is then made of the fields, as that format has none."""
    with file.open("w", encoding="utf-8") as opened:
        for article in articles:
            row = {name: getattr(article, name) for name in _FIELDS}
            row["title"] = article.title if article.heading else ""  # it was made of the id
            opened.write(json.dumps(row) + "\n")
    return file


class _Asking:
    """One set on its way: what it takes to ask, and how many questions were asked of how many."""

    def __init__(
        self, questions: QuestionSet, settings: BotSettings, encoder: Encoder, tell: Tell, total: int
    ) -> None:
        self._name = questions.name
        self._articles = {article.id: article for article in questions.articles}
        self._settings = settings
        self._encoder = encoder
        # On one thread, as the service encodes questions, so that the times are its own.
        self._asking = OnnxEncoder(encoder.export, threads=1) if encoder.export else encoder
        self._judge = find_judge(settings.fit_file, encoder.model.fingerprint, settings.answer_at)
        self._tell = tell
        self._total = total
        self._done = 0

    def ask(
        self, asked: Sequence[Question], source: Path, index: Path, *, other: bool = False
    ) -> list[Asked]:
        """Build an index of a file or folder of articles, and ask some questions of it."""
        settings = self._settings.model_copy(update={"articles": source, "index": index})
        tell = (lambda step: None) if other else self._tell
        build_index(settings, tell, self._encoder, force=True)  # a half has half of the articles
        generation = open_generation(index)
        try:
            search = Search(generation, self._asking, self._settings.without)
            return [self._ask(question, search, other) for question in asked]
        finally:
            generation.close()

    def _ask(self, question: Question, search: Search, other: bool) -> Asked:
        kind = Kind.ANSWERABLE if question.answerable else Kind.UNANSWERABLE
        begun = time.perf_counter()
        given, weighed = self._answer(question.text, search)
        took = 1000 * (time.perf_counter() - begun)
        self._done += 1
        self._tell(Progress("asking", self._done, self._total))
        record = _record(self._name, question, Kind.OTHER if other else kind, given, self._articles)
        return replace(record, elapsed_ms=round(took, 3), signals=weighed)

    def _answer(self, question: str, search: Search) -> tuple[Answer, _Signals]:
        """Answer a question as the service does; return the signals of the first hit beside the answer."""
        found = search(question)
        without = self._settings.without
        given = answer(question, found, judge=self._judge, generation=search.store.name, without=without)
        return given, tuple(judged(found.hits[0]).items()) if found.hits else ()


def _record(
    set_name: str, question: Question, kind: Kind, given: Answer, articles: Mapping[str, Article]
) -> Asked:
    """Return the record of an answer, its time and signals still to be filled in."""
    cited = [*given.citations, *given.further][:_CITED]
    first = given.quotes[0] if given.quotes else None
    subject = articles.get(question.article or "")
    return Asked(
        set_name=set_name,
        id=question.id,
        question=question.text,
        kind=kind,
        title=subject.title if subject else "",
        quotes=tuple(quote.text for quote in given.quotes),
        shown=min(_SHOWN, len(given.quotes)),
        cited=tuple((one.article, one.paragraph) for one in cited),
        gold=question.gold if kind is Kind.ANSWERABLE else (),
        answers=question.answers,
        confidence=given.confidence,
        verdict=str(given.verdict),
        elapsed_ms=0.0,
        signals=(),
        highlight=_highlight(first) if first else None,
        exact=all(_is_exact(quote, articles[given.citation_of(quote).article]) for quote in given.quotes),
    )


def _highlight(quote: Quote) -> str | None:
    if quote.highlight is None:
        return None
    start, end = quote.highlight
    return quote.text[start - quote.start : end - quote.start]


def _is_exact(quote: Quote, article: Article) -> bool:
    text = article.heading if quote.paragraph == 0 else article.text
    return text[quote.start : quote.end] == quote.text
