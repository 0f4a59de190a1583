"""One open generation with its encoder: a question in, an answer out. Nothing async in here."""

from __future__ import annotations

import dataclasses
import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from bot.answering.answer import Answer, make_answer
from bot.answering.confidence import Judge, find_judge
from bot.answering.followups import Earlier, ask_follow_up
from bot.service.catalogue import Catalogue
from bot.settings import BotSettings
from index.articles.article import Article
from index.encoding.encoder import Encoder, open_encoder
from index.language import normalize_question
from index.search.calibration import fit_file
from index.search.search import Search
from index.storage.local import open_store
from index.storage.store import Store, StoreInfo

if TYPE_CHECKING:
    from bot.answering.verify import VerifiedSentence

__all__ = ["Answerer"]

_LONGEST_QUESTION = 2_000
"""Characters of a question that are encoded for `vector`."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers from one generation. `answer` is called from one thread at a time, the rest from any."""

    settings: BotSettings
    store: Store
    search: Search
    judge: Judge

    @classmethod
    def open(cls, settings: BotSettings, previous: Self | None = None) -> Self:
        """Open the serving generation, with the encoder of `previous` where it is the same.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is damaged, or was made with another encoder.
            NoModelError: the encoder's weights are not available.
            FitError: the fitted confidence cannot be read.
        """
        return cls.of(settings, open_store(settings.index), previous)

    @classmethod
    def of(cls, settings: BotSettings, store: Store, previous: Self | None = None) -> Self:
        """Answer from an open store, which is closed where this raises; it raises as `open` does."""
        try:
            encoder = previous.encoder_for(store.info) if previous else None
            if encoder is None:
                # One thread: a question is too short to gain from a second one, and loses to busy neighbours.
                encoder = open_encoder(settings, store.info.encoder, store.info.encoder_fingerprint)
            search = Search(store, encoder)
            judge = find_judge(fit_file(settings.index), store.info.encoder_fingerprint, settings.answer_at)
        except Exception:
            store.close()
            raise
        return cls(settings, store, search, judge)

    def encoder_for(self, info: StoreInfo) -> Encoder | None:
        """Return the open encoder if a generation was made with the same one."""
        same = info.encoder_fingerprint == self.store.info.encoder_fingerprint
        return self.search.encoder if same else None

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
        ask = functools.partial(self._ask, article)
        if earlier is None:
            made, subject = ask(question), ""
        else:
            made, subject = ask_follow_up(question, earlier, ask, self.store.info.language)
        self.store.check()  # no verdict before the whole generation is verified
        elapsed = round(1000 * (time.perf_counter() - begun), 1)
        # A subject is put before the whole question, so a cut is no cut of the question.
        read_only = 0 if subject else made.read_only
        return dataclasses.replace(made, read_as=subject, read_only=read_only, elapsed_ms=elapsed)

    def _ask(self, article: str | None, question: str) -> Answer:
        return make_answer(question, self.search(question, article=article), self.judge, self.generation)

    def article(self, identity: str) -> Article | None:
        """Return an article by its id, or None."""
        row = self.store.article_row(identity)
        return None if row is None else self.store.articles([row])[0]

    def verify(self, text: str) -> tuple[VerifiedSentence, ...]:
        """Say of each sentence of a text whether it stands in an article letter for letter, and where."""
        from bot.answering.verify import verify

        return verify(text, self.store)

    def catalogue(self) -> Catalogue:
        """Return the catalogue of the articles."""
        return Catalogue.of(self.store)

    def status(self) -> StoreInfo:
        """Return the generation's figures, with what its confidence was fitted on."""
        confidence = self.judge.fit.describe(self.store.info.encoder_fingerprint)
        return dataclasses.replace(self.store.info, confidence=confidence)

    def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,)."""
        text = normalize_question(question[:_LONGEST_QUESTION])
        return self.search.encoder.encode_question(text, self.store.basis).dense
