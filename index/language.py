"""The one place that knows a language's words: which carry a question, and how people ask for a heading.

A heading is a few bare values ("Jonathan Doe"), and a question about it names the part ("who wrote it?"). So
the encoder and the lexical index read each line of a heading with such questions before it, which are never
quoted; and a heading is found only by a question that has one of the part's words, since a title repeats its
article's subject and would otherwise be found before the sentences that say something of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from index.articles.article import HEADING_PARTS, Article
from index.folding import WORD, fold

__all__ = [
    "asks",
    "function_words",
    "heading_line_text",
    "leans_back",
    "part_at",
    "parts_asked_for",
    "straighten",
    "words_of",
]

_CLOSING = " \n\"'”’»)]"
_QUOTES = str.maketrans("‘’‚‛“”„‟", "'" * 4 + '"' * 4)


@dataclass(frozen=True, slots=True)
class _Part:
    """The questions that a part of a heading answers, and the words and phrases that ask for it."""

    questions: str
    words: frozenset[str]
    phrase: re.Pattern[str] | None = None


def _part(questions: str, words: str, phrase: str = "") -> _Part:
    return _Part(questions, frozenset(fold(words).split()), re.compile(phrase) if phrase else None)


_PIECE = r"(?:article|piece|story|text|report|post|briefing)"

_PARTS = {
    "en": {
        "title": _part(
            "What is the title? What is the headline of the article?",
            "title titled headline headlines",
            rf"\b(?:this|the) {_PIECE} (?:called|named)\b|\bname of (?:this|the) {_PIECE}\b",
        ),
        "author": _part(
            "Who wrote it? Who is the author of this article?",
            "author authors authored byline wrote writer writers written",
            rf"\b{_PIECE}\b.{{0,80}}\bby$|\bby whom\b|\bwho is behind (?:this|the) {_PIECE}\b",
        ),
        "publisher": _part(
            "Who published it? Where was the article published?",
            "publish publisher publishers published publication",
        ),
        "published": _part(
            "When was it published? What is the date of the article?",
            "publish published publication date dated",
        ),
    },
    "es": {
        "title": _part("¿Cuál es el título? ¿Cuál es el titular del artículo?", "título titulo titular"),
        "author": _part(
            "¿Quién lo escribió? ¿Quién es el autor de este artículo?",
            "autor autora autores escribió escribio escrito",
        ),
        "publisher": _part("¿Quién lo publicó? ¿Dónde se publicó?", "editor editorial publicó publicado"),
        "published": _part("¿Cuándo se publicó? ¿Cuál es la fecha?", "publicó publicado fecha"),
    },
}


# Words that a question is built with, and that say little of what it asks for. In a large collection their
# rarity shows that; in one of a few articles every word is rare.
_FUNCTION_WORDS = {
    "en": frozenset(
        """
        a about an and any are as at be been being but by can could d did do does doing done for
        from had has have he her his how i if in into is it its ll may me might must my of on or
        our s shall she should so some such t than that the their them there these they this
        those to us ve was we were what when where which who whom whose why will with would you
        your
        """.split()
    ),
    "es": frozenset(
        fold(
            """
        a al algo como cómo con cual cuál cuales cuáles cuando cuándo cuanto cuánto cuantos
        cuántos de del donde dónde el ella ellos en era eran es esa ese eso esta este esto está
        fue fueron ha han hay la las le les lo los más me mi no o para pero por qué que quien
        quién quiénes se ser si sin sobre son su sus también tan te tu un una unas unos y ya
        """
        ).split()
    ),
}


def function_words(language: str) -> frozenset[str]:
    """Return the folded words that say little of what a question asks for; none of an unknown language."""
    return _FUNCTION_WORDS.get(language, frozenset())


_LEANING = {
    "en": frozenset(
        "he she it they him her them his its their theirs this that these those such both another".split()
    ),
    "es": frozenset(
        """él ella ello ellos ellas este esta esto estos estas ese esa eso esos esas aquel aquella aquello su
        sus dicho dicha dichos dichas ambos ambas""".split()
    ),
}


def asks(sentence: str) -> bool:
    """Tell whether a sentence is a question, so that it answers none."""
    return sentence.rstrip(_CLOSING).endswith(("?", "؟", "？"))


def leans_back(sentence: str, language: str) -> bool:
    """Tell whether a sentence opens with a word that stands for something named before it ("It", "This")."""
    first = WORD.search(sentence)
    return first is not None and first[0].lower() in _LEANING.get(language, frozenset())


def words_of(text: str) -> list[str]:
    """Return the words of a text as the vocabulary has them: without case and accents."""
    return WORD.findall(fold(text))


def straighten(text: str) -> str:
    """Return a question with plain quotes and spaces, and without what can be neither encoded nor found.

    Half a character (a lone surrogate) becomes a question mark, and a letter with its accent beside it one.
    """
    whole = text.encode("utf-8", "replace").decode().replace("\x00", " ")
    whole = unicodedata.normalize("NFC", whole)
    return " ".join(whole.translate(_QUOTES).split())


def parts_asked_for(words: Iterable[str], language: str) -> frozenset[str]:
    """Return the parts of a heading that a question, as its folded words in order, may ask for.

    Of a language whose words are not known here, any question may ask for any part.
    """
    parts = _PARTS.get(language)
    if parts is None:
        return frozenset(HEADING_PARTS)
    words = list(words)
    text = " ".join(words)
    return frozenset(
        name
        for name, part in parts.items()
        if not part.words.isdisjoint(words) or (part.phrase and part.phrase.search(text))
    )


def heading_line_text(article: Article, start: int, line: str, language: str) -> str:
    """Return what is read of a heading's line, which begins at `start`: the questions it answers, then it."""
    name = part_at(article, start)
    part = _PARTS.get(language, {}).get(name)
    return f"{part.questions if part else name} {line}"


def part_at(article: Article, start: int) -> str:
    """Return which part of an article's heading stands at an offset.

    The lines are those of the fields that have a value, in order; a title that is only the file's name has
    no line.
    """
    names = [name for name in HEADING_PARTS if getattr(article, name)]
    lines = article.heading.count("\n") + 1
    names = names[-lines:]
    return names[min(article.heading.count("\n", 0, start), len(names) - 1)]
