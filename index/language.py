"""What the code knows of a language: its function words, its pronouns, and how people ask for a heading.

A heading is a few bare values ("Jonathan Doe"), and a question about it names the part ("who wrote it?"). So
each line of a heading is encoded and indexed with such questions before it; they are never quoted. A heading
is a candidate only for a question that has one of the part's words: a title repeats its article's subject.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from index.analysis import WORD, fold
from index.articles.article import HEADING_PARTS, Article

__all__ = [
    "QuestionGrammar",
    "function_words",
    "has_pronoun",
    "heading_line_text",
    "heading_part_at",
    "heading_parts_asked_for",
    "is_question",
    "naming_words",
    "normalize_question",
    "opens_with_pronoun",
    "question_grammar",
    "version_words",
]

_OPENING = 5  # words; a pronoun after these mostly stands for a name in its own sentence
_CLOSING = " \n\"'”’»)]"
_QUOTES = str.maketrans("‘’‚‛“”„‟", "'" * 4 + '"' * 4)


@dataclass(frozen=True, slots=True)
class _HeadingPart:
    questions: str
    words: frozenset[str]
    phrase: re.Pattern[str] | None = None


def _part(questions: str, words: str, phrase: str = "") -> _HeadingPart:
    return _HeadingPart(questions, frozenset(fold(words).split()), re.compile(phrase) if phrase else None)


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

# In a large collection a function word's document frequency shows that it says little; in one of a few
# articles every word is rare.
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

_PERSONAL = {
    "en": frozenset("he she it they him her them his its their theirs".split()),
    "es": frozenset("él ella ello ellos ellas su sus".split()),
}
_PRONOUNS = {
    "en": _PERSONAL["en"].union("this that these those such both another".split()),
    "es": _PERSONAL["es"].union(
        """este esta esto estos estas ese esa eso esos esas aquel aquella aquello dicho dicha dichos dichas
        ambos ambas""".split()
    ),
}


def function_words(language: str) -> frozenset[str]:
    """Return the folded words that say little of what a question asks for; none of an unknown language."""
    return _FUNCTION_WORDS.get(language, frozenset())


def is_question(sentence: str) -> bool:
    """Tell whether a sentence of an article is a question, so that it answers none."""
    return sentence.rstrip(_CLOSING).endswith(("?", "؟", "？"))


def opens_with_pronoun(sentence: str, language: str) -> bool:
    """Tell whether a sentence opens with a word that refers to something before it ("It", "This")."""
    first = WORD.search(sentence)
    return first is not None and first[0].lower() in _PRONOUNS.get(language, frozenset())


@lru_cache(maxsize=1_024)
def has_pronoun(sentence: str, language: str) -> bool:
    """Tell whether a word that opens a sentence may stand for a name before it ("By May she had left.")."""
    opening = itertools.islice(WORD.finditer(sentence), _OPENING)
    return any(word[0].lower() in _PERSONAL.get(language, ()) for word in opening)


def normalize_question(text: str) -> str:
    """Return a question with plain quotes and single spaces, in NFC; a lone surrogate becomes "?"."""
    encodable = text.encode("utf-8", "replace").decode().replace("\x00", " ")
    return " ".join(unicodedata.normalize("NFC", encodable).translate(_QUOTES).split())


def heading_parts_asked_for(words: Iterable[str], language: str) -> frozenset[str]:
    """Return the parts of a heading that a question, given as its folded words, may ask for.

    In a language without entries here, that is every part.
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
    """Return how a heading's line, at an offset, is indexed: the questions that it answers, then the line."""
    name = heading_part_at(article, start)
    part = _PARTS.get(language, {}).get(name)
    return f"{part.questions if part else name} {line}"


def heading_part_at(article: Article, start: int) -> str:
    """Return which part of an article's heading stands at an offset."""
    # The lines are those of the fields with a value; a title that was made from the file's name has none.
    names = [name for name in HEADING_PARTS if getattr(article, name)]
    names = names[-(article.heading.count("\n") + 1) :]
    return names[min(article.heading.count("\n", 0, start), len(names) - 1)]


@dataclass(frozen=True, slots=True)
class QuestionGrammar:
    """Words that show whether a question can be understood alone: folded, but for pronouns.

    `connectives` are what a question may open with; a phrase is joined by underscores. `conjunctions` begin
    a clause. `objects` are pronouns that cannot stand for a noun of their own clause. `filler` is all words
    that say little of what a question is about.
    """

    connectives: frozenset[str]
    asking: frozenset[str]
    auxiliaries: frozenset[str]
    prepositions: frozenset[str]
    genitive: frozenset[str]
    articles: frozenset[str]
    definite: frozenset[str]
    conjunctions: frozenset[str]
    pronouns: frozenset[str]
    objects: frozenset[str]
    filler: frozenset[str]


def _question_grammar(language: str, **words: str) -> QuestionGrammar:
    sets = {name: frozenset(text.split()) for name, text in words.items()}
    sets["pronouns"] |= _PRONOUNS[language]
    filling = ("connectives", "asking", "auxiliaries", "prepositions", "articles")
    sets["filler"] = sets["filler"].union(function_words(language), *(sets[name] for name in filling))
    return QuestionGrammar(**sets)


_QUESTION_GRAMMARS = {
    "en": _question_grammar(
        "en",
        connectives="and or but so also then what_about how_about",
        asking="who whom whose when where why how what which many much few",
        auxiliaries="""is are was were be been did do does has have had can could will would should may might
            must""",
        prepositions="""of in on at for from by with to about into near between during under over than as
            before after""",
        genitive="of",
        articles="the a an",
        definite="the",
        conjunctions="that which who when where while if because since before after until",
        pronouns="there then hers",
        objects="it him them her there",
        filler="old tall high deep far big large long fast heavy wide thick often close ago not else exactly",
    ),
    "es": _question_grammar(
        "es",
        connectives="y e o u pero entonces tambien que_hay_de que_tal",
        asking="quien quienes cuando donde adonde como que cual cuales cuanto cuanta cuantos cuantas",
        auxiliaries="""es son era eran fue fueron esta estan ha han hay habia tiene tienen puede se hizo hace
            ser""",
        prepositions="de del en con por para al a sobre desde hasta durante entre",
        genitive="de del",
        articles="el la los las un una lo",
        definite="el la los las",
        conjunctions="que cuando donde mientras si porque antes despues",
        pronouns="allí alli allá alla ahí ahi entonces lo",
        objects="lo él ella ello ellos ellas",
        filler="porque mas",
    ),
}


_NAMING_WORDS = {
    "en": (
        "code command error fault file flag option releas version",
        "§ item no number paragraph part point step",
        "articl chapter claus question rule section",
    ),
    "es": (
        "archiv codig comand error ficher opcion version",
        "§ num numer parraf part paso punt",
        "apart articul capitul claus pregunt regl seccion",
    ),
}
_VERSION_WORDS = {
    "en": (r"\b(?:version|release)\b(?!\W*v?\d)", r"\b(?:latest|newest|current)\b"),
    "es": (r"\bversi[oó]n\b(?!\W*v?\d)", r"\b(?:[uú]ltima|actual)\b"),
}


def naming_words(language: str) -> Mapping[str, str]:
    """Return the stems of nouns before an identifier ("error E1042"); "§" stands for any such sign.

    Those of an "item" fit any numbered list ("point 3"); its "own" is what few lists are of ("rule 3").
    """
    kinds = zip(("", "item", "own"), _NAMING_WORDS.get(language, ("", "§", "")), strict=True)
    return {stem: kind for kind, stems in kinds for stem in stems.split()}


def version_words(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds a word for a version without a number, and one that asks for the latest."""
    version, latest = _VERSION_WORDS.get(language, (r"(?!)", r"(?!)"))
    return re.compile(version, re.IGNORECASE), re.compile(latest, re.IGNORECASE)


def question_grammar(language: str) -> QuestionGrammar | None:
    """Return the words of a language's questions, None of an unknown language."""
    return _QUESTION_GRAMMARS.get(language)
