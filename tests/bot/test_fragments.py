"""Addresses that open a page at a quote: read back as the draft says that a browser reads them.

`Reader` is written from the draft's own steps. A page may show a line break as a space or as another block,
and browsers differ in what they take for a word; so each address is read by four readers, and all of them
have to find the quote.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.text_fragments import sentence_url

PAGE = "https://lamps.example/gull"
ROOMY = 50_000
# What the draft lets stand in a part, less what this project encodes too.
PART = r"(?:[A-Za-z0-9.]|%[0-9A-F]{2})+"
ADDRESS = re.compile(rf"(?P<plain>.*)#(?P<kept>.*):~:text=(?P<text>({PART}-,)?{PART}(,{PART})?(,-{PART})?)")
MARKER = re.compile(r"^[^\S\n]*([-*+•‣◦▪–—]|\d{1,3}[.)]|#{1,6})[^\S\n]+", re.MULTILINE)


@dataclass(frozen=True)
class Parts:
    """A directive, taken apart."""

    prefix: str | None
    start: str
    end: str | None
    suffix: str | None

    @classmethod
    def of(cls, address: str) -> Parts:
        found = ADDRESS.fullmatch(address)
        assert found, address
        tokens = found["text"].split(",")
        prefix = unquote(tokens.pop(0)[:-1]) if tokens[0].endswith("-") else None
        suffix = unquote(tokens.pop()[1:]) if tokens[-1].startswith("-") else None
        start, *ends = map(unquote, tokens)
        return cls(prefix, start, ends[0] if ends else None, suffix)

    @property
    def all(self) -> list[str]:
        return [one for one in (self.prefix, self.start, self.end, self.suffix) if one is not None]


@dataclass(frozen=True)
class Unit:
    """A letter with the marks on it: what it is compared by, where it stands, and which block it is in."""

    key: str
    start: int
    end: int
    block: int


def clings(letter: str) -> bool:
    return unicodedata.category(letter) in {"Mn", "Mc", "Me", "Cf"}


def key_of(text: str) -> str:
    """Return the base letters of a text: no case, no accents, any white space a space."""
    parts = unicodedata.normalize("NFKD", re.sub(r"\s", " ", text).lower()).casefold()
    return "".join(one for one in parts if unicodedata.category(one) not in {"Mn", "Me", "Cf"})


def without_markers(text: str) -> str:
    return MARKER.sub(lambda mark: " " * len(mark[0]), text)


def shown(text: str, *, lines_are_blocks: bool) -> Iterator[Unit]:
    """Yield what a page shows of an article's text, with the white space that HTML knows as one space."""
    text = without_markers(text)
    block = at = 0
    for space, word in re.findall(r"([ \t\n\r\f]*)([^ \t\n\r\f]*)", text):
        lines = space.count("\n")
        if lines > 1 or (lines and lines_are_blocks):
            block += 1
        if space:
            yield Unit(" ", at, at + len(space), block)
        at += len(space)
        for letter in word:
            yield Unit(key_of(letter), at, at + 1, block)
            at += 1


class Reader:
    """Finds what a directive names, by the draft's "find a range from a text directive"."""

    def __init__(self, text: str, *, lines_are_blocks: bool, bounded: bool) -> None:
        self.text = text
        self.bounded = bounded
        self.units: list[Unit] = []
        for one in shown(text, lines_are_blocks=lines_are_blocks):
            last = self.units[-1] if self.units else None
            if last and clings(text[one.start]) and one.block == last.block:
                self.units[-1] = Unit(last.key, last.start, one.end, last.block)
            else:
                self.units.append(one)

    def read(self, parts: Parts) -> tuple[int, int] | None:
        """Return the span of the text that a browser goes to: the first start that an end belongs to."""
        for first, stop in self.starts(parts):
            end = self.end(parts, stop)
            if end is not None:
                return self.units[first].start, self.units[end - 1].end
        return None

    def starts(self, parts: Parts) -> Iterator[tuple[int, int]]:
        """Yield each place of `textStart` that follows on the prefix."""
        bounded = parts.end is not None or parts.suffix is None
        at = 0
        if parts.prefix is None:
            while found := self.find(parts.start, at, word_start=True, word_end=bounded):
                yield found
                at = found[0] + 1
        else:
            while before := self.find(parts.prefix, at, word_start=True):
                begin = self.after_space(before[1])
                found = self.find(parts.start, begin, word_end=bounded)
                if found and found[0] == begin:
                    yield found
                at = before[0] + 1

    def end(self, parts: Parts, stop: int) -> int | None:
        """Return where what begins before `stop` ends, so that the suffix follows; None where it does not."""
        while True:
            if parts.end is not None:
                last = self.find(parts.end, stop, word_start=True, word_end=parts.suffix is None)
                if last is None:
                    return None
                stop = last[1]
            if parts.suffix is None:
                return stop
            begin = self.after_space(stop)
            after = self.find(parts.suffix, begin, word_end=True)
            if after and after[0] == begin:
                return stop
            if after is None or parts.end is None:
                return None

    def after_space(self, at: int) -> int:
        while at < len(self.units) and self.text[self.units[at].start].isspace():
            at += 1
        return at

    def find(
        self, query: str, since: int, *, word_start: bool = False, word_end: bool = False
    ) -> tuple[int, int] | None:
        """Find a string within one block, at word boundaries where it has to be at them."""
        wanted = key_of(query)
        for first in range(since, len(self.units)):
            stop, read = first, ""
            while stop < len(self.units) and len(read) < len(wanted):
                if self.units[stop].block != self.units[first].block:
                    break
                read += self.units[stop].key
                stop += 1
            if (
                read == wanted
                and not (word_start and self.inside_word(first))
                and not (word_end and self.inside_word(stop))
            ):
                return first, stop
        return None

    def inside_word(self, at: int) -> bool:
        """Tell whether no word may begin or end before a unit, by the strictest reading of UAX 29."""
        if not self.bounded or not 0 < at < len(self.units):
            return False
        if self.units[at - 1].block != self.units[at].block:
            return False
        left, right = (self.text[self.units[one].start] for one in (at - 1, at))
        beyond_left = self.text[self.units[at - 2].start] if at > 1 else " "
        beyond_right = self.text[self.units[at + 1].start] if at + 1 < len(self.units) else " "
        in_words = is_letter(left) and is_letter(right)
        joined = (is_letter(left) and is_joint(right) and is_letter(beyond_right)) or (
            is_joint(left) and is_letter(right) and is_letter(beyond_left)
        )
        return in_words or joined


def is_letter(letter: str) -> bool:
    is_tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return letter.isalnum() or clings(letter) or is_tone or unicodedata.category(letter) in {"Pc", "So"}


def is_joint(letter: str) -> bool:
    return letter in ".,;:'\"’‘·‧․﹒﹕﹔﹐：；，．＇׳״՟·;։،؍٬߸⁄︐︓︔"


def readers(text: str) -> list[Reader]:
    return [
        Reader(text, lines_are_blocks=lines, bounded=bounded)
        for lines, bounded in itertools.product((False, True), repeat=2)
    ]


def spans(text: str, address: str) -> set[tuple[int, int] | None]:
    """Return what the readers find."""
    parts = Parts.of(address)
    return {reader.read(parts) for reader in readers(text)}


def words_of(text: str, span: tuple[int, int]) -> tuple[int, int] | None:
    """Return the span of a quote without white space and the markers of items; None where nothing is left."""
    bare = without_markers(text)
    letters = [at for at in range(*span) if not bare[at].isspace() and not stray(bare, at)]
    return (letters[0], letters[-1] + 1) if letters else None


def stray(text: str, at: int) -> bool:
    """Tell whether a mark has no letter to stand on."""
    while at >= 0 and clings(text[at]):
        at -= 1
    return at < 0 or text[at].isspace()


def is_quote(text: str, quote: tuple[int, int], found: tuple[int, int] | None) -> bool:
    """Tell whether what was found is the quote, with the rest of a word that it begins or ends in."""
    wanted = words_of(text, quote)
    if found is None or wanted is None or found[0] > wanted[0] or found[1] < wanted[1]:
        return False
    extra = text[found[0] : wanted[0]], text[wanted[1] : found[1]]
    return not any(one.isspace() for piece in extra for one in piece if not clings(one))


def place(text: str, quote: str, number: int = 0) -> tuple[int, int]:
    at = -1
    for _ in range(number + 1):
        at = text.index(quote, at + 1)
    return at, at + len(quote)


def named(text: str, quote: str, number: int = 0, room: int = ROOMY) -> Parts:
    """Return the directive for a quote, having seen that every reader finds the quote by it."""
    span = place(text, quote, number)
    address = sentence_url(PAGE, text, *span, room=room)
    assert address is not None
    assert all(is_quote(text, span, found) for found in spans(text, address)), address
    return Parts.of(address)


LAMP = (
    "The lamp was lit in 1871. It burned 40 litres of oil, a night - or so they say - & no more.\n\n"
    "Ebba Lind kept it. She wrote “all’s well” in the log every morning, even on the day on which the sea "
    "broke the kitchen window and took the table with it.\n\n"
    "Ebba Lind kept it. Nobody has since.\n- rope\n- oil\n- rope\n\n# Rope\nIt was brought by boat\nin May."
)


def test_a_short_quote_is_named_whole() -> None:
    assert named(LAMP, "The lamp was lit in 1871.") == Parts(None, "The lamp was lit in 1871.", None, None)


def test_a_long_quote_is_named_by_its_first_and_last_words() -> None:
    quote = LAMP[LAMP.index("She wrote") : LAMP.index("\n\nEbba Lind kept it. Nobody")]
    assert named(LAMP, quote) == Parts(None, "She wrote “all’s well”", "the table with it.", None)


def test_a_quote_of_several_lines_or_paragraphs_is_named_by_parts_that_each_stand_in_one_line() -> None:
    wrapped = named(LAMP, "It was brought by boat\nin May.")
    assert wrapped == Parts(None, "It was brought by", "in May.", None)
    over = named(LAMP, "or so they say - & no more.\n\nEbba Lind kept it.")
    assert over == Parts(None, "or so they say", "Ebba Lind kept it.", None)


def test_of_places_that_read_alike_the_second_is_told_by_what_stands_around_it() -> None:
    assert named(LAMP, "Ebba Lind kept it.").prefix is None
    second = named(LAMP, "Ebba Lind kept it.", 1)
    assert second.start == "Ebba Lind kept it."
    assert second.prefix or second.suffix


def test_where_what_stands_before_it_tells_nothing_what_comes_after_does_as_far_as_its_line_goes() -> None:
    text = "See the lamp.\nIt is lit now.\nSo they say.\nSee the lamp.\nIt is lit now.\nAnd\non it goes."
    assert named(text, "It is lit now.", 1) == Parts(None, "It is lit now.", None, "And")
    both = "a b c It is lit now. d e f, x y z It is lit now. d e g, a b c It is lit now. d e g"
    assert named(both, "It is lit now.", 2) == Parts("a b c", "It is lit now.", None, "d e g")


def test_places_that_differ_in_case_and_accents_alone_read_alike_to_a_browser() -> None:
    text = "Ete chaud ici et la.\nÉté chaud ici et là.\nA SHORT ONE HERE, SO.\nA short one here, so."
    assert named(text, "Été chaud ici et là.").prefix == "ici et la."
    assert named(text, "A short one here, so.").prefix == "ONE HERE, SO."


def test_a_quote_of_few_long_words_is_parted_in_two() -> None:
    words = [letter * 25 for letter in "abcde"]
    assert named(" ".join(["x", *words, "y"]), " ".join(words)) == Parts(
        None, " ".join(words[:3]), " ".join(words[3:]), None
    )


def test_the_first_of_places_that_read_alike_needs_nothing_around_it() -> None:
    assert named(LAMP, "Ebba Lind kept it.").all == ["Ebba Lind kept it."]


def test_a_very_short_quote_is_named_with_what_stands_before_it() -> None:
    """A page says "rope" in more places than its article."""
    assert named(LAMP, "in 1871.") == Parts("lamp was lit", "in 1871.", None, None)


def test_the_mark_of_an_item_or_heading_is_in_no_part_since_a_page_shows_it_otherwise() -> None:
    for quote, number in (("- rope", 0), ("- oil", 0), ("- rope", 1), ("# Rope", 0)):
        parts = named(LAMP, quote, number)
        assert parts.start == quote[2:]
        assert not any(part.startswith(("- ", "# ")) for part in parts.all)


@pytest.mark.parametrize(
    "character", ["-", ",", "&", "#", "%", "=", " ", "_", "~", '"', "(", ")", "’", "é", "文", "🦊"]
)
def test_what_means_something_in_an_address_is_percent_encoded(character: str) -> None:
    text = f"One a{character}b lamp was lit{character}in that year, said the old keeper."
    address = sentence_url(PAGE, text, 0, len(text))
    assert address is not None
    parts = Parts.of(address)
    assert parts.start == text
    assert character in {"%", " "} or character not in address.partition(":~:text=")[2]
    assert address.isascii()


@pytest.mark.parametrize(
    ("url", "lead"),
    [
        ("https://a.example/x", "https://a.example/x#:~:text="),
        (" https://a.example/x\n", "https://a.example/x#:~:text="),
        ("http://a.example", "http://a.example#:~:text="),
        ("HTTPS://a.example", "HTTPS://a.example#:~:text="),
        ("https://a.example/x#", "https://a.example/x#:~:text="),
        ("https://a.example/x?a=b&c=d#part", "https://a.example/x?a=b&c=d#part:~:text="),
        ("https://a.example/x#:~:text=old,words", "https://a.example/x#:~:text="),
        ("https://a.example/x#part:~:text=old&unknown", "https://a.example/x#part:~:text="),
        ("https://a.example/x#a#b:~:c:~:d", "https://a.example/x#a#b:~:text="),
        ("https://müller.example/ä", "https://müller.example/ä#:~:text="),
    ],
)
def test_a_fragment_is_kept_and_a_directive_replaced(url: str, lead: str) -> None:
    assert sentence_url(url, "One. The lamp was lit.", 5, 22) == f"{lead}The%20lamp%20was%20lit."
    plain = lead.removesuffix(":~:text=").removesuffix("#")
    assert sentence_url(url, "One.", 2, 2) == plain, "without a quote there is nothing to go to"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "//a.example/x",
        "ftp://a.example/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///x",
        "https://[a",
        "https://a.example/x y",
        "https://a.example/\x00",
        "https://a.example/\u202ex",
        "https://a.example/" + "x" * 1000,
    ],
)
def test_what_is_no_web_address_or_too_long_has_none(url: str) -> None:
    assert sentence_url(url, "The lamp was lit.", 0, 17) is None


def test_a_quote_that_has_no_room_whole_is_named_by_its_ends_and_then_not_at_all() -> None:
    quote = "The lamp was lit in 1871 by Ebba Lind, its keeper."
    text = f"{quote} Nobody lit it in 1870."
    lead = len(f"{PAGE}#:~:text=")
    assert named(text, quote).end is None
    assert named(text, quote, room=lead + 60) == Parts(
        None, "The lamp was lit", "Ebba Lind, its keeper.", None
    )
    assert named(text, quote, room=lead + 35) == Parts(None, "The lamp", "its keeper.", None)
    assert sentence_url(PAGE, text, 0, len(quote), room=lead + 5) == PAGE
    assert sentence_url(PAGE, text, 0, len(quote), room=len(PAGE)) == PAGE
    assert sentence_url(PAGE, text, 0, len(quote), room=len(PAGE) - 1) is None


def test_a_place_that_cannot_be_told_from_another_is_named_by_its_own_words() -> None:
    """A browser then goes to the first that reads the same, which says the same."""
    text = "\n".join(["The lamp was lit in the year."] * 4)
    span = place(text, "The lamp was lit in the year.", 2)
    address = sentence_url(PAGE, text, *span)
    assert address is not None
    assert Parts.of(address) == Parts(None, "The lamp was lit in the year.", None, None)


def test_too_few_words_to_name_anything_name_nothing() -> None:
    text = "\n".join(["The lamp was lit in the year of the fire."] * 3)
    span = place(text, "The lamp was lit in the year of the fire.", 2)
    assert sentence_url(PAGE, text, *span, room=len(PAGE) + 22) == PAGE


def test_a_quote_that_begins_or_ends_within_a_word_is_named_by_whole_words() -> None:
    text = "Nobody knows the lighthouses of old."
    assert named(text, "light").start == "lighthouses"
    assert named(text, "house").start == "lighthouses"
    assert named("See (“don’t go”) there, now.", "don").start == "don’t"
    assert named("At 3.5 or 3,500 m.", "500").start == "3,500"
    assert named("It was so.Then it was.", "Then it was.").start == "so.Then it was."


def test_signs_and_scripts_without_spaces_end_words_where_they_surely_end() -> None:
    assert named("灯台は古い。灯は明るい。海は広い。", "灯は明るい。").start == "灯は明るい。"
    assert named("He said—“The lamp is lit”—and left at once.", "The lamp is lit").start == "The lamp is lit"


def test_the_text_of_a_long_article_is_searched_in_no_time_worth_speaking_of() -> None:
    """Every candidate occurs everywhere; what is tried is bounded."""
    text = "the lamp was lit and the sea was wide " * 5_000
    address = sentence_url(PAGE, text, 100_000, 100_400)
    assert address is not None
    assert address.startswith(PAGE)
    assert sentence_url(PAGE, "x" * 300_000, 150_000, 150_010) == PAGE


WORDS = [
    "The",
    "lamp",
    "was",
    "lit.",
    "Lit",
    "lamps",
    "été",
    "(so)",
    "a-b",
    "3.5",
    "“oil”",
    "is",
    "文字。",
    "- x",
]
GAPS = [" ", "  ", "\n", "\n\n", "\n- ", "\t", "\u00a0", "", " \n "]
ARTICLES = st.one_of(
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=24).map(
        lambda pairs: "".join(itertools.chain.from_iterable(pairs))
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.text("ab AB.\n-,&é\u0301文", max_size=40),
)


def times(text: str, piece: str) -> int:
    """Count the places that read like a piece, also those that overlap, over the ends of lines."""
    flat, wanted = (" ".join(key_of(one).split()) for one in (without_markers(text), piece))
    return len(re.findall(f"(?={re.escape(wanted)})", flat))


@given(ARTICLES, st.integers(0, 60), st.integers(1, 60))
@example("a b\na b\na b", 8, 3)
@example("- a\n- a\n- b", 4, 3)
@example("lamp. The lamp. The", 10, 5)
@example("a\u0301 \u0301b c", 2, 3)
@example("The The\nlamp The\nThe The lamp ", 0, 22)
@example("The The The The\nThe\nThe ", 0, 21)
def test_any_quote_of_any_text_is_found_or_only_what_reads_alike(text: str, start: int, length: int) -> None:
    quote = min(start, len(text)), min(start + length, len(text))
    wanted = words_of(text, quote)
    address = sentence_url(PAGE, text, *quote, room=ROOMY)
    assert address is not None
    if wanted is None or address == PAGE:
        assert wanted is None or "\n" in text[slice(*quote)] or times(text, text[slice(*quote)]) > 1
        return
    parts = Parts.of(address)
    assert not any("\n" in part for part in parts.all)
    is_told = times(text, " ".join(parts.start.split()[:4])) == 1
    for found in spans(text, address):
        assert found is not None, "a reader finds nothing"
        # Over several lines there may be no more than the beginning to tell it by.
        opens = "\n" in text[slice(*quote)] and is_quote(text, (wanted[0], found[1]), found)
        assert is_quote(text, quote, found) or opens or not is_told


@given(
    st.lists(st.sampled_from(["The lamp was lit.", "Oil. Rope.", "été", "“So”, he said."]), min_size=1),
    st.data(),
)
def test_every_one_of_many_equal_sentences_is_told_by_its_neighbours(
    sentences: list[str], data: st.DataObject
) -> None:
    gaps = st.sampled_from([" ", "\n", "\n\n", "\n- "])
    text = "".join(f"n{at}n{data.draw(gaps)}{one}{data.draw(gaps)}" for at, one in enumerate(sentences))
    at = data.draw(st.integers(0, len(sentences) - 1))
    begin = text.index(sentences[at], text.index(f"n{at}n"))
    quote = begin, begin + len(sentences[at])
    address = sentence_url(PAGE, text, *quote, room=ROOMY)
    assert address is not None
    assert all(is_quote(text, quote, found) for found in spans(text, address)), address


@given(ARTICLES, st.integers(0, 60), st.integers(0, 60), st.integers(0, 200), st.text(max_size=30))
def test_an_address_is_never_longer_than_its_room_and_begins_with_the_page(
    text: str, start: int, end: int, room: int, fragment: str
) -> None:
    address = sentence_url(PAGE, text, start, end, room=room)
    assert (address is None) == (room < len(PAGE))
    assert address is None or (len(address) <= room and address.startswith(PAGE))
    anywhere = sentence_url(f"{PAGE}#{fragment}", text, start, end, room=room)
    assert anywhere is None or len(anywhere) <= room
