"""What went most wrong: answers that were wrong and sure of it, and right ones that were held back."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.judging import is_right
from evaluation.records import Asked

__all__ = ["describe", "refused", "wrong"]


def wrong(records: Sequence[Asked]) -> list[Asked]:
    """Return what was answered wrongly, or should not have been answered; the surest first."""
    found = [one for one in records if one.verdict == "answered" and not is_right(one)]
    return sorted(found, key=lambda one: -one.confidence)


def refused(records: Sequence[Asked]) -> list[Asked]:
    """Return whose first quote is right but was not given as the answer; the least sure first."""
    found = [one for one in records if one.verdict != "answered" and is_right(one)]
    return sorted(found, key=lambda one: one.confidence)


def describe(record: Asked) -> list[tuple[str, str]]:
    """Return label and value pairs on a failure, for people."""
    cited = "; ".join(_place(*place) for place in record.cited[:1])
    gold = "; ".join(_place(*place) for place in record.gold)
    expected = " | ".join(record.answers) if record.kind == "answerable" else f"none ({record.kind})"
    return [
        ("question", record.question),
        ("expected", expected + (f"  [{gold}]" if gold else "")),
        ("chosen", record.quote + (f"  [{cited}]" if cited else "")),
        ("verdict", f"{record.verdict}, {record.confidence:.3f}"),
        ("signals", ", ".join(f"{name} {value:.3g}" for name, value in record.signals)),
    ]


def _place(article: str, paragraph: int) -> str:
    return f"{article}, {f'paragraph {paragraph}' if paragraph else 'heading'}"
