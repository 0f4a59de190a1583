"""One open generation with its encoder: a question in, an answer out. Nothing async in here."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier, ask_follow_up
from bot.answering.questions import read_message
from bot.answering.quoting import make_answer
from bot.answering.remarks import TELLING_WORDS, language_of, remark_on
from index.encoding.encoder import open_encoder
from index.language import normalize_question
from index.reading.reader import Reader, read_first
from index.reading.registry import open_readers
from index.search.calibration import Fit, choose_fit, fit_file
from index.search.search import Search
from index.storage.engine import engine_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from bot.settings import BotSettings
    from index.articles.article import Article
    from index.storage.store import Store, StoreInfo

__all__ = ["Answerer"]

_LONGEST_QUESTION = 2_000  # characters of a question that are encoded for `vector`
_FEW = 0.05  # of the passages: with so few that have a language's words, no article is in that language


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers from one generation. `answer` is called from one thread at a time, the rest from any.

    The first of `readers` that can read now reads; `fits` has the fit of each by name, and that of search
    alone by "".
    """

    store: Store
    search: Search
    readers: tuple[Reader, ...]
    fits: Mapping[str, Fit]

    @classmethod
    def open(cls, settings: BotSettings, previous: Self | None = None) -> Self:
        """Open the serving generation, with the encoder of `previous` where it is the same.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is damaged, or was made with another encoder.
            NoModelError: the encoder's weights are not available.
            FitError: the fitted confidence cannot be read.
        """
        return cls.of(settings, engine_of(settings).open(), previous)

    @classmethod
    def of(cls, settings: BotSettings, store: Store, previous: Self | None = None) -> Self:
        """Answer from an open store, which is closed where this raises; it raises as `open` does."""
        try:
            fingerprint = store.info.encoder_fingerprint
            if previous and previous.store.info.encoder_fingerprint == fingerprint:
                encoder, readers = previous.search.encoder, previous.readers
            else:
                encoder = open_encoder(settings, store.info.encoder, fingerprint)
                readers = open_readers(settings, encoder)
            search = Search(store, encoder)
            names = ("", *(reader.name for reader in readers))
            fits = {name: choose_fit(fit_file(settings.index), fingerprint, name) for name in names}
        except Exception:
            store.close()
            raise
        if settings.answer_at is not None:
            fits = {name: replace(fit, answer_at=settings.answer_at) for name, fit in fits.items()}
        return cls(store, search, readers, fits)

    @property
    def generation(self) -> str:
        """The name of the generation."""
        return self.store.info.generation

    def close(self) -> None:
        """Close the generation; nothing is answered afterwards."""
        self.store.close()

    def answer(self, question: str, article: str | None = None, earlier: Earlier | None = None) -> Answer:
        """Answer a question, from one article if its id is given, read together with an earlier exchange.

        Raises:
            DamagedIndexError: the generation turns out damaged.
        """
        begun = time.perf_counter()
        ask, language = functools.partial(self._ask, article), self.store.info.language
        parts: list[Answer] = []
        for part in read_message(question, language):
            parts.append(ask_follow_up(part, earlier, ask, language) if earlier else ask(part))
            earlier = Earlier.of(parts[-1])
        if len(parts) > 1:
            whole = ask(question)
            parts = [part.as_sure_as(whole) for part in parts]
        answer = self._remark_on(Answer.joined(question, parts))
        self.store.check()  # no verdict before the whole generation is verified
        return replace(answer, elapsed_ms=round(1000 * (time.perf_counter() - begun), 1))

    def _remark_on(self, answer: Answer) -> Answer:
        """Add what the bot says itself to an answer; no quote answers a request for more than quotes."""
        is_sure = answer.verdict is Verdict.ANSWERED
        read = answer.reasons and answer.reasons.found.reading
        if remark := remark_on(answer.question):
            return replace(answer, remark=remark, verdict=Verdict.RELATED if is_sure else answer.verdict)
        if self.readers and answer.quotes and (not read or read.reader != self.readers[0].name):
            answer = replace(answer, remark="other_reader")
        if is_sure or answer.remark or not (asked := language_of(answer.question)):
            return answer
        passages = dict(zip(TELLING_WORDS, self.store.passage_counts([*TELLING_WORDS.values()]), strict=True))
        written = max(passages, key=lambda code: passages[code])
        if passages[asked] > _FEW * passages[written]:
            return answer
        return replace(answer, remark="other_language", languages=(asked, written))

    def _ask(self, article: str | None, question: str) -> Answer:
        found = read_first(self.search(question, article=article), self.readers, self.store)
        fit = self.fits[found.reading.reader if found.reading else ""]
        return make_answer(question, found, fit, self.generation)

    def article(self, identity: str) -> Article | None:
        """Return an article by its id, or None."""
        row = self.store.article_row(identity)
        return None if row is None else self.store.articles([row])[0]

    def status(self) -> StoreInfo:
        """Return the generation's figures, with what its confidence was fitted on."""
        reader = self.readers[0].name if self.readers else ""
        confidence = self.fits[reader].describe(self.store.info.encoder_fingerprint, reader)
        return replace(self.store.info, confidence=confidence)

    def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,)."""
        text = normalize_question(question[:_LONGEST_QUESTION])
        return self.search.encoder.encode_question(text, self.store.basis).dense
