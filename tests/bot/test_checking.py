"""Checking quotes against a real index: to the letter or not, where, and what was changed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.answering.verify import MOST, Change, ChangeKind, Checked, CheckVerdict, check
from bot.discordapp.escape import blockquote
from index.articles.article import Article
from index.build import build_index
from index.encoding.encoder import Encoder
from index.language import words_of
from index.passages.splitting import source_text
from index.settings import IndexSettings
from index.storage.local import Generation, open_generation

ROCK = """\
The store on Gull Rock
Author: Ute Kern

The store was dug into the rock by two masons from Hamarvik, and it has
a single window of thick glass that faces the open sea to the north.

The keeper ordered these things every autumn:
- forty metres of tarred rope
- two barrels of colza oil

It is *not* known who built the snake_case wall. He wrote "all is well" in the log. Nobody answered it.

Gulls nested on its roof. Nobody has since.
"""
TIDES = "\n\n".join(
    f"Tide {number} came in at the old stone quay number {number}. Gulls nested on its roof. It was cold."
    for number in range(40)
)
LONG = " ".join(
    f"The {word} of the harbour was painted in colour number {at} by the crew of the tug."
    for at, word in enumerate(
        ("gate wall crane mast shed bell rope boat lamp pier dock hull sail deck keel" * 4).split()
    )
)
ENDLESS = " ".join(
    f"{word} {at}" for at, word in enumerate("red blue green grey white black brown".split() * 80)
)
"""One sentence, longer than the encoder reads at once."""

CLOVER = (
    "A shamrock grew at the foot of the rock. It was wrapped\nin felt at the end.\n\n"
    "The other one withered. It was\nwrapped in felt at the end."
)
ISLAND = "灯台は一八七一年に初めて灯された。島には誰も住んでいない。海は広く、風は強い。"


@pytest.fixture(scope="module")
def rock(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Generation]:
    """Index articles that are wrapped, listed, repeated, long, and in Japanese."""
    home = tmp_path_factory.mktemp("rock")
    (home / "articles").mkdir()
    (home / "articles/rock.txt").write_text(ROCK, encoding="utf-8")
    rows = [
        {"id": "tides", "title": "Tide tables", "text": TIDES},
        {"id": "long", "title": "Painting the harbour", "text": LONG},
        {"id": "endless", "title": "Colours", "text": ENDLESS},
        {"id": "clover", "title": "Clover", "text": CLOVER},
        {"id": "island", "title": "島", "text": ISLAND},
    ]
    lines = "\n".join(json.dumps(row) for row in rows)
    (home / "articles/more.jsonl").write_text(lines, encoding="utf-8")
    build_index(IndexSettings.load(articles=home / "articles", index=home / "index"), encoder=encoder)
    generation = open_generation(home / "index")
    yield generation
    generation.close()


@pytest.fixture(scope="module")
def lamp(built: Path) -> Iterator[Generation]:
    """Open the index that the tests of this package share."""
    generation = open_generation(built / ".footnote/index")
    yield generation
    generation.close()


def source(one: Checked) -> str:
    assert one.article is not None
    return one.article.text if one.paragraph else one.article.heading


def sound(one: Checked) -> None:
    """Assert what holds for whatever was checked."""
    assert one.quoted == one.quoted.strip() != ""
    own = "".join(each.text for each in one.changes if each.kind is not ChangeKind.ARTICLE)
    other = "".join(each.text for each in one.changes if each.kind is not ChangeKind.QUOTED)
    if one.verdict is CheckVerdict.ABSENT:
        assert (one.article, one.original, one.changes, one.times) == (None, "", (), 0)
        return
    assert one.article is not None
    assert one.original == source(one)[one.start : one.end] != ""
    assert own == " ".join(one.quoted.split())
    assert other == " ".join(one.original.split())
    assert one.times >= 1
    if one.paragraph:
        paragraph = one.article.paragraphs[one.paragraph - 1]
        assert paragraph.start <= one.start < paragraph.end
    is_exact = one.verdict is CheckVerdict.EXACT
    assert is_exact is (own == other)
    assert is_exact is all(each.kind is ChangeKind.SAME for each in one.changes)


def checked(text: str, generation: Generation) -> list[Checked]:
    found = check(text, generation)
    assert len(found) <= MOST
    for one in found:
        sound(one)
    return list(found)


def only(text: str, generation: Generation) -> Checked:
    (one,) = checked(text, generation)
    return one


def sentences(generation: Generation) -> list[tuple[Article, int, str, int]]:
    """Return each sentence of the articles: its article, paragraph, text and start."""
    return [
        (article, one.paragraph, source_text(article, one)[one.start : one.end], one.start)
        for row, _, _ in generation.article_rows()
        for article in [generation.article(row)]
        for stored in generation.passages_of(row)
        for one in stored.passage.sentences
    ]


@pytest.mark.parametrize(
    ("text", "article", "paragraph", "original"),
    [
        ("Nobody has since. Gulls nested on its roof.", "rock", 4, "Nobody has since."),
        ("dug into the rock by two masons from Hamarvik", "rock", 1, None),
        (
            "and it has a single window of thick glass that faces",
            "rock",
            1,
            "and it has\na single window of thick glass that faces",
        ),
        ("two barrels of colza oil", "rock", 2, None),
        ("- two barrels of colza oil", "rock", 2, "two barrels of colza oil"),
        ("Hamarvik", "rock", 1, None),
        ("The store on Gull Rock", "rock", 0, None),
        ("Ute Kern", "rock", 0, None),
        ("島には誰も住んでいない。", "island", 1, None),
        ("誰も住んで", "island", 1, None),
    ],
)
def test_what_stands_in_an_article_is_exact_and_placed(
    rock: Generation, text: str, article: str, paragraph: int, original: str | None
) -> None:
    first = checked(text, rock)[0]
    assert first.verdict is CheckVerdict.EXACT
    assert first.article is not None
    assert (first.article.id, first.paragraph) == (article, paragraph)
    assert first.original == (original or text)


def test_a_quote_that_is_wrapped_otherwise_than_the_article_is_exact(rock: Generation) -> None:
    text = "> The store was dug into\n> the rock by two masons from Hamarvik, and\n> it has a single"
    assert only(text, rock).verdict is CheckVerdict.EXACT


def test_what_stands_in_several_places_is_counted_and_the_first_given(rock: Generation) -> None:
    one = only("Gulls nested on its roof.", rock)
    assert one.times == 41
    assert one.article is not None
    assert one.article.id == "tides"
    assert one.paragraph == 1
    assert only("quay number 7", rock).times == 1


def test_a_word_is_not_counted_where_it_is_part_of_another_and_a_wrapped_sentence_is(
    rock: Generation,
) -> None:
    one = only("rock", rock)
    assert one.article is not None
    assert (one.article.id, one.start, one.times) == ("clover", CLOVER.index(" rock.") + 1, 2)
    assert only("It was wrapped in felt at the end.", rock).times == 2


def test_a_part_of_a_word_is_not_in_the_article(rock: Generation) -> None:
    for text in ("amarvik", "ock", "Gull Roc", "7"):
        assert only(text, rock).verdict is not CheckVerdict.EXACT or text == "7"
    assert only("ore was dug into the rock by two masons", rock).verdict is CheckVerdict.CHANGED


def test_a_quote_over_the_edge_of_a_passage_is_exact(rock: Generation) -> None:
    """A long paragraph is cut into passages; words on both sides of a cut stand side by side all the same."""
    (row,) = [row for row, name, _ in rock.article_rows() if name == "long"]
    passages = rock.passages_of(row)
    assert len(passages) > 3
    for before, after in itertools.pairwise(passages[1:]):
        edge = after.passage.start
        span = LONG[before.passage.sentences[-1].start : after.passage.sentences[0].end]
        joined = span.replace(". The", "; the")
        assert [one.verdict for one in checked(span, rock)] == [CheckVerdict.EXACT] * 2
        one = only(joined, rock)
        assert one.verdict is CheckVerdict.CHANGED
        assert one.start < edge < one.end


def test_a_quote_over_a_cut_in_a_long_sentence_is_exact(rock: Generation) -> None:
    (row,) = [row for row, name, _ in rock.article_rows() if name == "endless"]
    passages = rock.passages_of(row)[1:]
    assert len(passages) > 2
    for after in passages[1:]:
        edge = after.passage.start
        start, end = ENDLESS.index(" ", edge - 50) + 1, ENDLESS.rindex(" ", 0, edge + 50)
        one = only(ENDLESS[start:end], rock)
        assert one.verdict is CheckVerdict.EXACT
        assert (one.start, one.end) == (start, end)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The store was dug into the rock by three masons", [("quoted", "three"), ("article", "two")]),
        ("The store was not dug into the rock by two masons", [("quoted", "not ")]),
        ("The store was dug into the rock from Hamarvik", [("article", "by two masons ")]),
        ("The store was dug into the rcok by two masons", None),
        (
            "He wrote “all is well” in the log.",
            [("quoted", "“"), ("article", '"'), ("quoted", "”"), ("article", '"')],
        ),
        ("gulls nested on its Roof.", None),
        (
            "The store was dug ... from Hamarvik",
            [("quoted", "..."), ("article", "into the rock by two masons")],
        ),
        ("Tide 12 came in at the old stone quay number 13.", [("quoted", "13"), ("article", "12")]),
    ],
)
def test_what_was_changed_is_shown(rock: Generation, text: str, shown: list[tuple[str, str]] | None) -> None:
    one = only(text, rock)
    assert one.verdict is CheckVerdict.CHANGED
    changes = [(each.kind.value, each.text) for each in one.changes if each.kind is not ChangeKind.SAME]
    assert changes == (shown or changes) != []


def test_what_differs_in_its_quotation_marks_or_case_alone_is_a_slight_change(rock: Generation) -> None:
    assert only("He wrote “all is well” in the log.", rock).is_slight
    assert only("gulls nested on its roof.", rock).is_slight
    assert not only("The store was dug into the rock by three masons", rock).is_slight
    assert not only("Gulls nested on its roof.", rock).is_slight
    assert not only("Otters.", rock).is_slight


@pytest.mark.parametrize(
    "text",
    [
        "The council will vote on the new tram line in the autumn.",
        "The masons of Hamarvik met every spring to drink and sing.",
        "Otters",
        "Gull Rocket",
        "the rock store",
        "It is the of and to.",
        "Zażółć gęślą jaźń i tak dalej.",
        "東京は日本の首都である。",
        "12345",
    ],
)
def test_what_no_article_says_is_absent(rock: Generation, text: str) -> None:
    assert only(text, rock) == Checked(text, CheckVerdict.ABSENT)


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ('He says "Gulls nested on its roof." and “Nobody has seen.”', ["exact", "changed"]),
        ("> Gulls nested on its roof.\nIs that so? Surely the masons are not from there.", ["exact"]),
        ("> **Gulls** nested _on_ its roof\\.\n> Otters came to live in the old boat.", ["exact", "absent"]),
        ("It is not known who built the snake_case wall.", ["changed"]),
        ("It is *not* known who built the snake_case wall.", ["exact"]),
        (r"It is \*not\* known who built the snake\_case wall.", ["exact"]),
        ('He wrote "all is well" in the log.', ["exact"]),
        ('He wrote "all is well" in the bog.', ["changed"]),
        ('"He wrote "all is well" in the log."', ["exact"]),
        ("> \\- forty metres of tarred rope", ["exact"]),
        ('She told us: "Nobody answered it."', ["exact"]),
        ('I read "Nobody answered it." The keeper of it ordered many things every autumn.', ["exact"]),
        ("", []),
        ("  \n> \n", []),
        ("?! … 🦊", []),
    ],
)
def test_a_whole_message_may_be_checked(rock: Generation, text: str, verdicts: list[str]) -> None:
    assert [one.verdict.value for one in checked(text, rock)] == verdicts


def test_the_first_ten_sentences_are_checked_and_of_a_long_one_its_beginning(rock: Generation) -> None:
    many = " ".join(f"Tide {number} came in at the old stone quay number {number}." for number in range(15))
    assert [one.paragraph for one in checked(many, rock)] == list(range(1, 11))
    long = LONG.replace(".", ",")[:6_000]
    one = only(long, rock)
    assert 1_900 < len(one.quoted) <= 2_000
    assert long.startswith(f"{one.quoted} ")


@given(st.data())
def test_any_sentence_of_an_article_is_exact_at_its_place_also_among_other_text(
    lamp: Generation, data: st.DataObject
) -> None:
    article, paragraph, text, start = data.draw(st.sampled_from(sentences(lamp)))
    assume('"' not in text)
    around = data.draw(
        st.sampled_from(
            ["{}", "> {}", '"{}"', "“{}”", "Look:\n> {}\nIs it so?", "He says «{}», I think. Do I?"]
        )
    )
    first = checked(around.format(text), lamp)
    assert all(one.verdict is CheckVerdict.EXACT for one in first)
    assert first[0].article == article
    assert (first[0].paragraph, first[0].start) == (paragraph, start)
    assert first[-1].end == start + len(text)


@given(st.data())
def test_what_the_bot_shows_is_exact_however_it_had_to_be_escaped(
    rock: Generation, data: st.DataObject
) -> None:
    article, _, text, _ = data.draw(st.sampled_from(sentences(rock)))
    shown = f"{blockquote(text, 4_000)}\n[{article.title}](https://a.example/x)"
    assert [one.verdict for one in checked(shown, rock)] == [CheckVerdict.EXACT]


@given(st.data())
def test_a_letter_changed_is_shown_where_the_sentence_stands(lamp: Generation, data: st.DataObject) -> None:
    article, paragraph, text, start = data.draw(
        st.sampled_from([one for one in sentences(lamp) if one[0].id in {"lamp", "bread"} and one[1]])
    )
    assume('"' not in text)
    at = data.draw(st.sampled_from([at for at, letter in enumerate(text) if letter.isalnum()]))
    letter = data.draw(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F))
    assume(letter != text[at])
    changed = f"{text[:at]}{letter}{text[at + 1 :]}"
    # Where that makes another word of the article, a longer stretch with that word in it is as like.
    assume(set(words_of(changed)) & set(words_of(article.text)) <= set(words_of(text)))
    one = only(changed, lamp)
    assert one.verdict is CheckVerdict.CHANGED
    assert one.article == article
    assert (one.paragraph, one.start, one.original) == (paragraph, start, text)
    alone = "".join(each.text for each in one.changes if each.kind is ChangeKind.ARTICLE)
    assert text[at] in alone
    assert len(alone) < 12


@given(
    st.one_of(
        st.text(st.characters(), max_size=80),
        st.text(st.sampled_from(list("\"'“”„«»「」> \n*_`~|\\[]():.…1aGb灯")), max_size=80),
        st.lists(
            st.sampled_from(
                [
                    '"',
                    "Gulls",
                    "nested",
                    "OR",
                    "NEAR(",
                    "*",
                    "text:",
                    "on its roof.",
                    "...",
                    "\x00",
                    "> ",
                    "\n",
                ]
            )
        ).map(" ".join),
    )
)
@example('" OR NEAR( *')
@example("\ud800 Gulls nested on its roof.")
@example("Gulls nested\x00on its roof.")
@example("'; DROP TABLE articles; --")
def test_any_text_is_checked(rock: Generation, text: str) -> None:
    checked(text, rock)


@pytest.mark.parametrize(
    "text",
    ["gulls " * 20_000, "x" * 100_000, '"' * 100_000, "> " * 50_000, "*a _b " * 20_000, "...a " * 9_000],
)
def test_a_text_of_100_000_characters_is_checked(rock: Generation, text: str) -> None:
    checked(text, rock)


def test_an_exact_quote_has_one_change_that_is_none(rock: Generation) -> None:
    one = only("Nobody answered it.", rock)
    assert one.changes == (Change(ChangeKind.SAME, "Nobody answered it."),)
