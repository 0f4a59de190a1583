"""What answers from one generation, and reads what else it holds; nothing async in here."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from bot.answering.answer import Answer, answer
from bot.answering.confidence import Judge, find_judge
from bot.answering.followups import Earlier, ask_following
from bot.answering.proving import Prover
from bot.service.catalogue import Catalogue
from bot.settings import BotSettings
from index.articles.reading import Article
from index.encoding.encoder import Encoder
from index.encoding.opening import open_encoder
from index.language import straighten
from index.search.search import Search
from index.storage.local import Generation, open_generation
from index.storage.manifest import Manifest
from index.storage.verification import IndexStatus

if TYPE_CHECKING:
    from bot.answering.verify import Checked

__all__ = ["Serving"]

_LONGEST = 2_000
"""Characters of a question that its vector is made of."""

_ENCODER = ("encoder_fingerprint", "graph", "producer")
"""What a manifest says of its encoder: where all three are equal, one encoder serves both."""


@dataclass(frozen=True, slots=True)
class Serving:
    """An open generation with its encoder, and what its answers are judged by.

    `answer` is called from one thread at a time; the others from whatever thread.
    """

    settings: BotSettings
    generation: Generation
    search: Search
    judge: Judge
    prover: Prover

    @classmethod
    def first(cls, settings: BotSettings) -> Self:
        """Open the current generation and its encoder.

        Raises:
            NoIndexError: there is no index.
            DamagedIndexError: the index is not as it was written, or is another encoder's.
            NoModelError: the encoder's weights cannot be had.
            FitError: the fit is none.
        """
        return cls.of(settings, open_generation(settings.index, check_mb=settings.check_mb))

    def next(self) -> Self:
        """Open the current generation, which may be another one by now; raises as `first` does."""
        new = open_generation(self.settings.index, check_mb=self.settings.check_mb)
        return self.of(self.settings, new, self)

    @classmethod
    def of(cls, settings: BotSettings, generation: Generation, before: Self | None = None) -> Self:
        """Serve an open generation, with the encoder of the one before where that is the same.

        The generation is closed where this raises, which it does as `first`.
        """
        try:
            encoder = before.encoder_of(generation.manifest) if before else None
            if encoder is None:
                # A question is too short to gain from a second thread, and loses much to it when others are
                # busy; a rebuild beside answering leaves a core for the answers.
                encoder = open_encoder(
                    settings.index,
                    name=settings.model,
                    fingerprint=generation.manifest.encoder_fingerprint,
                    producer=generation.manifest.producer,
                    threads=1,
                    pin=settings.model_sha256,
                )
            search = Search(generation, encoder, settings.without)
            judge = find_judge(settings.fit_file, encoder.model.fingerprint, settings.answer_at)
        except Exception:
            generation.close()
            raise
        withheld = before.prover.withheld if before else Counter[str]()
        return cls(settings, generation, search, judge, Prover(generation, encoder, withheld))

    def encoder_of(self, manifest: Manifest) -> Encoder | None:
        """Return the encoder that is open, where it is just the one that a manifest names."""
        mine = self.generation.manifest
        same = all(getattr(manifest, name) == getattr(mine, name) for name in _ENCODER)
        return self.search.encoder if same else None

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
        made = answer(
            question,
            self.search(question, article=article),
            judge=self.judge,
            generation=self.name,
            without=self.settings.without,
        )
        return self.prover.prove(made)

    @property
    def _language(self) -> str:
        return str(self.generation.manifest.passage_settings["language"])

    def article(self, identity: str) -> Article | None:
        """Return an article by its id; None where there is none, or none that can be proven."""
        return self.prover.article(identity)

    def check(self, text: str) -> tuple[Checked, ...]:
        """Say of each sentence of a text whether it stands in an article to the letter, and where."""
        from bot.answering.verify import check

        return tuple(map(self.prover.prove_checked, check(text, self.generation)))

    def catalogue(self) -> Catalogue:
        """Return what articles there are."""
        return Catalogue.of(self.generation)

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
