"""What answers from one generation, and reads what else it holds; nothing async in here."""

from __future__ import annotations

import dataclasses
import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from bot.answers import Answer, answer
from bot.confidence import Judge, find_judge
from bot.followups import Earlier, ask_following
from bot.settings import BotSettings
from index import (
    Article,
    Encoder,
    FootnoteError,
    Generation,
    IndexStatus,
    Search,
    open_generation,
)
from index.encoders import open_encoder
from index.manifest import read_pointer
from index.wording import straighten

if TYPE_CHECKING:
    from bot.checking import Checked

__all__ = ["Serving"]

_LONGEST = 2_000
"""Characters of a question that its vector is made of."""


@dataclass(frozen=True, slots=True)
class Serving:
    """An open generation with its encoder, and what its answers are judged by.

    `answer` is called from one thread at a time; the others from whatever thread.
    """

    settings: BotSettings
    generation: Generation
    search: Search
    judge: Judge

    @classmethod
    def first(cls, settings: BotSettings) -> Self:
        """Open the current generation and its encoder.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is not as it was written, or is another encoder's.
            NoModelError: the encoder's weights cannot be had.
            FitError: the fit is none.
        """
        generation = open_generation(settings.index)
        # A question is too short to gain from a second thread, and loses much to it when others are busy;
        # a rebuild beside answering leaves a core for the answers.
        try:
            encoder = open_encoder(settings.index, generation.manifest, settings.model, threads=1)
        except FootnoteError:
            generation.close()
            raise
        return cls._of(settings, generation, encoder)

    def next(self) -> Self | None:
        """Open the current generation where it is another one; raises as `first` does."""
        if read_pointer(self.settings.index).generation == self.name:
            return None
        return self._of(self.settings, open_generation(self.settings.index), self.search.encoder)

    @classmethod
    def _of(cls, settings: BotSettings, generation: Generation, encoder: Encoder) -> Self:
        try:
            search = Search(generation, encoder, settings.without)
            judge = find_judge(settings.fit_file, encoder.model.fingerprint, settings.answer_at)
        except FootnoteError:
            generation.close()
            raise
        return cls(settings, generation, search, judge)

    @property
    def name(self) -> str:
        """The name of the generation."""
        return self.generation.name

    def close(self) -> None:
        """Close the generation; nothing is served afterwards."""
        self.generation.close()

    def answer(self, question: str, article: str | None, earlier: Earlier | None) -> Answer:
        """Answer a question, from one article where one is named, read with what was asked earlier."""
        begun = time.perf_counter()
        ask = functools.partial(self._ask, article)
        if earlier is None:
            made, note = ask(question), ""
        else:
            made, note = ask_following(question, earlier, ask, self._language)
        elapsed = round(1000 * (time.perf_counter() - begun), 1)
        # What is read together with a subject stands whole before it.
        read_only = 0 if note else made.read_only
        return dataclasses.replace(made, read_as=note, read_only=read_only, elapsed_ms=elapsed)

    def _ask(self, article: str | None, question: str) -> Answer:
        return answer(
            question,
            self.search(question, article=article),
            judge=self.judge,
            generation=self.name,
            without=self.settings.without,
        )

    @property
    def _language(self) -> str:
        return str(self.generation.manifest.passage_settings["language"])

    def article(self, identity: str) -> Article | None:
        """Return an article by its id; None where there is none."""
        return self.generation.article_by_id(identity)

    def check(self, text: str) -> tuple[Checked, ...]:
        """Say of each sentence of a text whether it stands in an article to the letter, and where."""
        from bot.checking import check

        return check(text, self.generation)

    def status(self) -> IndexStatus:
        """Return the generation's figures, and what its confidence was fitted on."""
        return dataclasses.replace(self.generation.status(), confidence=self.judge.origin)

    def vector(self, question: str) -> npt.NDArray[np.float32]:
        """Return the encoder's unit vector of a question, shape (dimension,)."""
        text = straighten(question[:_LONGEST])
        dense: npt.NDArray[np.float32] = self.search.encoder.encode_question(
            text, self.generation.basis
        ).dense
        return dense.reshape(-1)
