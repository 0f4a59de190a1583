"""Why an answer has its verdict: the scores in words, for people in a chat."""

from __future__ import annotations

import discord
from index.search.wanted import Wanted

from bot.answering.answer import Answer, Reasons
from bot.chat.words import Words
from bot.discordapp.escape import fit
from bot.discordapp.notices import notice
from bot.discordapp.render import percent
from index.search.hits import SCORE_WEIGHTS, Hit, TermMatch
from index.search.signals import judged

__all__ = ["why_embed"]

_HIGH, _LOW = 0.75, 0.55
"""Shares from which on a passage is said to meet a question well, and below which hardly."""

_WORD_ROOM, _WORDS = 60, 8
_DATES = {Wanted.DATE, Wanted.DURATION}


def why_embed(answer: Answer, words: Words) -> discord.Embed:
    """Return what an answer was made from, in the asker's language."""
    return notice(words("why_title"), "\n".join(_lines(answer, words)))


def _lines(answer: Answer, words: Words) -> list[str]:
    reasons = answer.reasons
    if reasons is None or not reasons.found.question.terms:
        return [words("why_no_words")]
    if not reasons.cited:
        return [words("why_nothing")]
    judge, hit = reasons.judge, reasons.cited[0]
    related = min(judge.fit.related_at, judge.answer_at)
    sure = words(
        "why_sure",
        share=percent(answer.confidence),
        answered=percent(judge.answer_at),
        related=percent(related),
    )
    return [sure, _score(hit, words), *_words_missed(hit, words), *_value(reasons, hit, words)]


def _score(hit: Hit, words: Words) -> str:
    share = hit.score / sum(SCORE_WEIGHTS.values())
    return words("why_score", level=_level(share, words), value=f"{share:.2f}")


def _words_missed(hit: Hit, words: Words) -> list[str]:
    """Return which words of the question the passage lacks, and how near it comes to the worst of them."""
    missed = [one for one in hit.terms if one.term.says and not one.in_words]
    if not missed:
        return []
    worst = min(missed, key=lambda one: one.near)
    shown = ", ".join(map(_typed, missed[:_WORDS]))
    level = _level(worst.near, words)
    return [
        words("why_absent", words=shown),
        words("why_word", word=_typed(worst), level=level, value=f"{worst.near:.2f}"),
    ]


def _typed(match: TermMatch) -> str:
    """Return a word of the question, or a value of several, in one line."""
    return fit(" ".join(match.term.typed.split()), _WORD_ROOM)


def _value(reasons: Reasons, hit: Hit, words: Words) -> list[str]:
    """Return whether the quote has the number, date or the like that was asked for."""
    wanted = reasons.found.question.wanted
    if not wanted.is_value:
        return []
    kind = "wanted_date" if wanted in _DATES else "wanted_number"
    key = "why_value_met" if judged(hit)["value_wanted"] == 1 else "why_value_missing"
    return [words(key, wanted=words(kind))]


def _level(share: float, words: Words) -> str:
    return words("level_high" if share >= _HIGH else "level_middle" if share >= _LOW else "level_low")
