"""Identifiers: what names one thing among others of its kind, such as E1042, 2.3.1, `--deep` or "rule 3".

They match exactly or not at all: two error codes differ in a digit, and are near in every other way. Their
form tells them, since most numbers are quantities ("an 11 metre boat", "in 2019", "60%"):

- A code ("E1042", "CVE-2024-1"), a version ("v2.4", "2.3.1"), a date in digits, an option, a path, a file and
  a name with underscores are strict: what does not have it does not answer.
- A number after a noun ("rule 3", "error 1042"), one with a single dot ("4.2") and a short code ("F7") may be
  a quantity, or be written otherwise ("the third rule"). It is lacking only where a rival has its place:
  "rule 4", "F8". Error 1042 may be E1042.

The number of a block counts for each noun of the heading above it: item 3 of "Server rules" is rule 3. Words
such as "point" and "step" may stand for the item of any list.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from index.analysis import INVISIBLE, fold, stem_words, stems
from index.articles.blocks import BlockKind
from index.language import naming_words, question_grammar, version_words

if TYPE_CHECKING:
    from index.articles.article import Article
    from index.articles.blocks import Block
    from index.passages.splitting import Passage

__all__ = [
    "NO_MATCH",
    "Identifier",
    "Match",
    "find_identifiers",
    "find_words",
    "match_parts",
    "name_parts",
    "settle",
]

Names = frozenset[tuple[str, str]]
"""What a text names: a noun and a number ("rule", "3"), or "" and what stands for itself ("", "e1042").

Other nouns: "item" and "own" for the number of any block, "#rule" for that of a block below this
noun, "~e" for the digits of a code with these letters, "~" for those of any code.
"""

_ANY_VERSION, _LATEST = ("", "version"), ("~latest", "")

_FORMS = re.compile(
    r"""(?P<option>(?<![\w-])(?:--\w[\w-]*\w|-[^\W\d_](?![\w-])))
    |(?P<path>(?<![\w.@:/\\~<-])(?:~|\.\.?|[A-Za-z]:)?(?:[/\\][\w.+@-]*[\w+])+
        |\b[\w./\\-]*\w\.(?:cfg|conf|csv|docx?|exe|ini|json|log|md|pdf|png|py|sh|toml|txt|xlsx?|xml|ya?ml|zip)\b(?!\.?\w)
        |\b[^\W_]+(?:_[^\W_]+)+\b
        |(?<![\w.-])\d{1,4}(?P<mark>[-/])\d{1,2}(?P=mark)\d{1,4}(?![\w/-]))
    |(?P<version>(?<![\w.,:/£$€])[vV]?\d+(?:\.\d+)+(?:-?[a-z]\w*(?:\.\d+)*)?(?![\w%,€]|\.\d))
    |(?P<code>(?<![\w.-])(?:[^\W\d_]{1,12}(?:-[^\W_]+)*-?\d|\d+[^\W\d_]+\d|[A-Z]\.\d)\w*(?:-\w+)*)
    |(?P<number>(?<![\w.,:£$€-])(?<!\d/)\d+(?![\w%°/'’]|[.,:]\d|-\w))""",
    re.VERBOSE,
)
_WORDS = re.compile(rf"{_FORMS.pattern}|[^\W_]+", re.VERBOSE)
_SIGN = re.compile(r"[\d_/\\]|-[-\w]|\w\.\w")  # every identifier has one, most sentences none
_NOUN = re.compile(r"(?:[#§№]|(?P<word>[^\W\d_]+))[.:/]?[ \u00a0]?\Z")
_QUANTITY = re.compile(r"[ \u00a0]?(?:%|[^\W\d_]+s\b|[mb]illi)")
_NUMBERED = re.compile(
    r"[^\w#§№]*(?:(?P<noun>[^\W\d_]+) ?|(?P<sign>[#§№] ?))?(?P<number>\d{1,3}(?:\.\d{1,3})*)"
    r"(?(sign)\b|(?=[.):]|\s*$|\s+[–—|-]\s|(?<=\.\d) |(?<=\.\d\d) ))"
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier at a span of a question. A text has it by any of its names."""

    start: int
    end: int
    names: Names
    is_strict: bool = True

    def is_in(self, names: Names) -> bool:
        """Tell whether a text has the identifier beyond doubt."""
        return any(self.is_strict or noun.startswith("~") for noun, _ in self.names & names)

    def is_lacking(self, names: Names) -> bool:
        """Tell whether a text is about something else."""
        rivals = {noun for noun, _ in self.names if noun}
        is_about_another = self.is_strict or not rivals.isdisjoint(noun for noun, _ in names)
        return is_about_another and self.names.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Match:
    """How a part of a passage matches the identifiers of a question.

    `cosines` has for each 1 if the part or the title has it, 0 if it is strict and lacking, else None. `held`
    counts those that the part, or what stands above it, has beyond doubt.
    """

    cosines: tuple[float | None, ...] = ()
    held: int = 0
    is_lacking: bool = False


NO_MATCH = Match()
"""How everything matches a question without identifiers."""


def find_words(question: str) -> Iterator[re.Match[str]]:
    """Return the words of a question; an identifier with signs in it counts as one."""
    return _WORDS.finditer(question)


def find_identifiers(question: str, language: str) -> list[Identifier]:
    """Return the identifiers of a question: "which version" asks for any, "latest version" for the first."""
    grammar = question_grammar(language)
    filler = {"", *grammar.filler} if grammar else {""}
    found = [one for match in _FORMS.finditer(question) if (one := _identifier(match, filler, language))]
    version, latest = version_words(language)
    if asked := version.search(question):
        named = [(asked, _ANY_VERSION), *((word, _LATEST) for word in latest.finditer(question))]
        found += [Identifier(*word.span(), frozenset({name}), is_strict=False) for word, name in named]
    return found


def settle(identifiers: Sequence[Identifier], names: Names) -> list[Identifier]:
    """Return identifiers as they are meant among candidates with these names.

    Where a rule has a number, no item of another list is a rule.
    """
    nouns = {noun for noun, _ in names}
    return [
        replace(one, names=frozenset(name for name in one.names if name[0] != "own"))
        if any(noun.startswith("#") and noun in nouns for noun, _ in one.names)
        else one
        for one in identifiers
    ]


def _identifier(match: re.Match[str], filler: Collection[str], language: str) -> Identifier | None:
    kind, value, start = match.lastgroup, fold(match[0]), match.start()
    names = {name for name in _names_of(match, language) if name != _ANY_VERSION and name[0] != "~"}
    is_strict = kind in {"option", "path"}
    if kind == "code":
        is_strict = sum(map(str.isdigit, value)) > 2 and ("-" not in value or value != match[0])
    before, word = _word_before(match)
    noun = _stem(word, language)
    is_named = noun in (naming := naming_words(language))
    if kind in {"version", "number"}:
        is_strict = value.count(".") > 1 or value[0] == "v"
        is_quantity = _QUANTITY.match(match.string, match.end()) or (kind == "number" and word in filler)
        if is_quantity and not (is_strict or is_named):
            return None
        if naming.get(noun) or (is_named and kind == "number"):  # "clause 4.2" is no 4.2 metres
            names -= {("", value), ("version", value)}
        if list_kind := naming.get(noun) or ("item" if kind == "version" else ""):
            names.add((list_kind, value))
        else:
            names |= {(f"~{noun[0]}", value)} | ({("~", value)} if len(value) > 2 else set())
        names.add((f"#{noun}", value))
    return Identifier(before if is_named else start, match.end(), frozenset(names), is_strict)


def _word_before(match: re.Match[str]) -> tuple[int, str]:
    """Return where the word before a number begins, and the word, folded; "§" for a sign, "" for none."""
    before = _NOUN.search(match.string, max(0, match.start() - 40), match.start())
    if before is None:
        return match.start(), ""
    return before.start(), fold(before["word"] or "§")


def _stem(word: str, language: str) -> str:
    return "".join(stem_words([word], language))


def _names_in(text: str, language: str) -> Names:
    found = _FORMS.finditer(INVISIBLE.sub("", text)) if _SIGN.search(text) else ()
    return frozenset(name for match in found for name in _names_of(match, language))


def _names_of(match: re.Match[str], language: str) -> Iterator[tuple[str, str]]:
    kind, value = match.lastgroup, fold(match[0])
    if kind in {"number", "version"}:
        value = value.removeprefix("v")
        if noun := _stem(_word_before(match)[1], language):
            yield from ((noun, value), ("", noun + value))
        if len(value) > 2:
            yield "", value
        is_version = kind == "version" and (
            value.count(".") > 1 or match[0][0] in "vV" or not _QUANTITY.match(match.string, match.end())
        )
        if is_version:
            yield from (_ANY_VERSION, ("version", value))
    elif kind == "code":
        value = re.sub(r"[-.]", "", value)
        yield "", value
        if split := re.fullmatch(r"([^\W\d_]+)(\d+)", value):
            yield from ((split[1], split[2]), (f"~{split[1]}", split[2]), ("~", split[2]))
    else:
        yield "", match[0] if kind == "option" else value


def name_parts(article: Article, passage: Passage, language: str) -> Iterator[Names]:
    """Yield what each part of a passage names; what the title names is named by all but the leads.

    A version is any version, or the latest, only in a lead.
    """
    text = article.heading if passage.is_heading else article.text
    title = _names_in(article.title, language)
    nouns = set(stems(article.title, language))
    for at, part in enumerate(passage.parts):
        if passage.is_heading:
            yield _names_in(text[part.start : part.end], language)
            continue
        block = article.block_at(part.start)
        line = text.rfind("\n", 0, block.start) + 1  # a label stands before its block
        start, end = (line if part.start == block.start else part.start), part.end
        if block.kind is BlockKind.ITEM:
            start, end = line, block.end
        names = set(_names_in(text[start:end], language))
        if match := _NUMBERED.match(text, line, block.end):
            of = ("item", "own", *(f"#{noun}" for noun in nouns.union(stems(match["noun"] or "", language))))
            names |= {(noun, match["number"]) for noun in of}
        if at < len(passage.leads):
            named = set(stems(text[block.start : block.end], language))
            nouns = named if block.kind is BlockKind.HEADING else nouns | named
        if at >= len(passage.leads):
            names = (names | title) - {_ANY_VERSION}
        elif _ANY_VERSION in names and block == _first_version(article, language):
            names.add(_LATEST)
        yield frozenset(names)


def match_parts(identifiers: Sequence[Identifier], names: Sequence[Names], leads: int) -> Iterator[Match]:
    """Yield how the parts of a passage, of which the first are leads, match the identifiers of a question."""
    above = frozenset[tuple[str, str]]().union(*names[:leads])
    for at, own in enumerate(names):
        whole = above | own if at >= leads else own
        cosines = []
        for one in identifiers:
            is_lacking = one.is_strict and one.is_lacking(whole)
            cosines.append(0.0 if is_lacking else None if one.names.isdisjoint(own) else 1.0)
        held = sum(one.is_in(whole) for one in identifiers)
        yield Match(tuple(cosines), held, any(one.is_lacking(whole) for one in identifiers))


def _first_version(article: Article, language: str) -> Block | None:
    """Return the first heading with a version: changes are listed from the latest on."""
    headings = (block for block in article.blocks if block.kind is BlockKind.HEADING)
    texts = ((block, article.text[block.start : block.end]) for block in headings)
    return next((block for block, text in texts if _ANY_VERSION in _names_in(text, language)), None)
