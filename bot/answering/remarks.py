"""What people say in chat besides questions, in English, German, Spanish and French: see `phrases.toml`.

Small talk is a message as a whole: one that only begins with "hi" is a question. Case, accents, punctuation,
emoji and repeated letters do not matter.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources

from index.analysis import words

__all__ = ["FRAMES", "TELLING_WORDS", "is_small_talk", "language_of", "remark_on"]


def _plain(text: str) -> str:
    """Return a text's words, folded, with each run of a letter as one letter."""
    return re.sub(r"(\D)\1+", r"\1", " ".join(words(text)))


_LONGEST = 1_000  # characters of small talk
_PHRASES = tomllib.loads(resources.files(__package__).joinpath("phrases.toml").read_text("utf-8"))
_THANKS, *_OTHERS = (
    {_plain(phrase) for language in _PHRASES.values() for phrase in language[kind].split(",")}
    for kind in ("thanks", "greetings", "around")
)
_PHRASE = "|".join(sorted(_THANKS.union(*_OTHERS), key=len, reverse=True))
_SMALL_TALK = re.compile(rf"(?>(?:{_PHRASE})(?: |$))*+")
_REQUEST = "|".join(language["requests"] for language in _PHRASES.values())

FRAMES = "|".join(language["frames"] for language in _PHRASES.values()).replace(" ", r"\s+")
"""A regular expression of what comes before an indirect question: "can someone tell me"."""
TELLING_WORDS = {code: language["telling"].split() for code, language in _PHRASES.items()}
"""Words that show a language: common in it, and rare in the others."""


def is_small_talk(text: str) -> bool:
    """Tell whether a text asks nothing: small talk, or no words."""
    return len(text) <= _LONGEST and bool(_SMALL_TALK.fullmatch(_plain(text)))


def remark_on(message: str) -> str:
    """Return the key of what the bot says to a message, of its texts in `bot.chat.messages`, or "".

    That is "help" or "welcome" for small talk, "only_quotes" for a request to list, summarise or translate.
    """
    if is_small_talk(message):
        said = f" {_plain(message)} "
        return "welcome" if any(f" {phrase} " in said for phrase in _THANKS) else "help"
    return "only_quotes" if re.fullmatch(_REQUEST, " ".join(words(message[:_LONGEST]))) else ""


def language_of(question: str) -> str:
    """Return a question's language if it has two telling words of that one and none of another, else ""."""
    counts = {
        code: len({*words(question[:_LONGEST])} & {*telling}) for code, telling in TELLING_WORDS.items()
    }
    likely = [code for code, count in counts.items() if count]
    return likely[0] if len(likely) == 1 and counts[likely[0]] > 1 else ""
