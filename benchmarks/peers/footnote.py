"""Footnote itself, by the contract of its peers: opens an index that `footnote index build` made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.service.answerer import Serving
from bot.settings import BotSettings
from index.search.hits import Hit


def open_index(folder: Path, mode: str) -> Callable[[str], list[str]]:
    """Open the index. An answer is made whole, with its quotes and verdict, which no peer does."""
    serving = Serving.first(BotSettings.load(index=folder))

    def answer(question: str) -> list[str]:
        made = serving.answer(question, None, None)
        hits = made.reasons.found.hits if made.reasons else ()
        return [_name(hit) for hit in hits]

    return answer


def _name(hit: Hit) -> str:
    """Return the id that every peer knows a passage by; of headings the others got none."""
    return f"{hit.article.id}#{hit.start if hit.sentences[0].paragraph else 'heading'}"
