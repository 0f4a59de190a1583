"""Verification of quotes against a real index: the verdict, the place, and what was changed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.answering.verify import MAX_SENTENCES, ChangeKind, QuoteVerdict, VerifiedSentence, verify
from index.analysis import words
from index.articles.article import Article
from index.build import build_index
from index.encoding.encoder import Encoder
from index.passages.splitting import source_text
from index.settings import IndexSettings
from index.storage.local import open_store
from index.storage.store import Store

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
TIDES = "\n\n".join(f"Tide {at} came in at quay number {at}. Gulls nested on its roof." for at in range(40))
LONG = " ".join(
    f"The {word} of the harbour was painted in colour number {at} by the crew of the tug."
    for at, word in enumerate(
        ("gate wall crane mast shed bell rope boat lamp pier dock hull sail deck keel" * 4).split()
    )
)
ENDLESS = " ".join(f"{word} {at}" for at, word in enumerate("red blue green grey white black".split() * 90))
"""One sentence, longer than the encoder reads at once."""
CLOVER = "A shamrock grew at the foot of the rock. It was wrapped\nin felt at the end."
ISLAND = "灯台は一八七一年に初めて灯された。島には誰も住んでいない。海はとても広く、風はいつも強い。"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Store]:
    """Index articles that are wrapped, listed, repeated, long, and in Japanese."""
    home = tmp_path_factory.mktemp("rock")
    (home / "articles").mkdir()
    (home / "articles/rock.txt").write_text(ROCK, encoding="utf-8")
    texts = {"tides": TIDES, "long": LONG, "endless": ENDLESS, "clover": CLOVER, "island": ISLAND}
    rows = [json.dumps({"id": name, "title": name.title(), "text": text}) for name, text in texts.items()]
    (home / "articles/more.jsonl").write_text("\n".join(rows), encoding="utf-8")
    settings = IndexSettings.load(articles=home / "articles", index=home / "index")
    build_index(settings, encoder=encoder)
    opened = open_store(home / "index")
    yield opened
    opened.close()


def checked(text: str, store: Store) -> list[VerifiedSentence]:
    """Verify a text, and assert what holds of any result."""
    results = list(verify(text, store))
    assert len(results) <= MAX_SENTENCES
    for result in results:
        _assert_sound(result)
    return results


def _assert_sound(result: VerifiedSentence) -> None:
    quoted = "".join(change.text for change in result.changes if change.kind is not ChangeKind.ARTICLE)
    original = "".join(change.text for change in result.changes if change.kind is not ChangeKind.QUOTED)
    assert all(change.text for change in result.changes)
    if result.article is None:
        assert result == VerifiedSentence(result.quoted, QuoteVerdict.ABSENT)
        return
    source = result.article.text if result.paragraph else result.article.heading
    assert result.original == source[result.start : result.end] != ""
    assert quoted == result.quoted == " ".join(result.quoted.split())
    assert original == " ".join(result.original.split())
    assert (result.verdict is QuoteVerdict.EXACT) is (quoted == original)
    assert result.times >= 1


def only(text: str, store: Store) -> VerifiedSentence:
    (result,) = checked(text, store)
    return result


def sentences(store: Store) -> list[tuple[Article, int, str, int]]:
    """Return each sentence of the articles: its article, paragraph, text and start."""
    return [
        (article, one.paragraph, source_text(article, one)[one.start : one.end], one.start)
        for summary in store.catalogue()
        for article in store.articles([summary.row])
        for stored in store.passages_of(summary.row)
        for one in stored.passage.sentences
    ]


@pytest.mark.parametrize(
    ("text", "article", "paragraph", "original"),
    [
        ("Nobody has since.", "rock", 4, None),
        ("dug into the rock by two masons from Hamarvik", "rock", 1, None),
        ("and it has a single window", "rock", 1, "and it has\na single window"),
        ("> The store was dug\n> into the rock by", "rock", 1, "The store was dug into the rock by"),
        ("- two barrels of colza oil", "rock", 2, "two barrels of colza oil"),
        ("Hamarvik", "rock", 1, None),
        ("The store on Gull Rock", "rock", 0, None),
        ("Ute Kern", "rock", 0, None),
        ("島には誰も住んでいない。", "island", 1, None),
        ("誰も住んで", "island", 1, None),
    ],
)
def test_what_stands_in_an_article_is_exact_and_placed(
    store: Store, text: str, article: str, paragraph: int, original: str | None
) -> None:
    result = only(text, store)
    assert result.verdict is QuoteVerdict.EXACT
    assert result.article is not None
    assert (result.article.id, result.paragraph) == (article, paragraph)
    assert result.original == (original or text)


def test_places_are_counted_and_the_first_is_given(store: Store) -> None:
    result = only("Gulls nested on its roof.", store)
    assert result.article is not None
    assert (result.article.id, result.paragraph, result.times) == ("tides", 1, 41)
    assert only("quay number 7", store).times == 1
    rock = only("rock", store)
    assert rock.article is not None
    assert (rock.article.id, rock.start) == ("clover", CLOVER.index(" rock.") + 1)


@pytest.mark.parametrize("text", ["amarvik", "Gull Roc", "ore was dug into the rock by two masons"])
def test_a_part_of_a_word_is_not_exact(store: Store, text: str) -> None:
    assert only(text, store).verdict is not QuoteVerdict.EXACT


def test_a_quote_across_the_edge_of_a_passage_is_found(store: Store) -> None:
    """Long paragraphs and sentences are cut into passages, but not in the article."""
    for name, text in (("long", LONG), ("endless", ENDLESS)):
        row = store.article_row(name)
        assert row is not None
        passages = [stored.passage for stored in store.passages_of(row) if not stored.passage.is_heading]
        assert len(passages) > 2
        for passage in passages[1:]:
            start = text.index(" ", passage.start - 50) + 1
            end = text.rindex(" ", 0, passage.start + 50)
            quote = text[start:end].replace(". The", ", the")
            result = only(quote, store)
            assert result.verdict is (QuoteVerdict.EXACT if quote in text else QuoteVerdict.CHANGED)
            assert (result.start, result.end) == (start, end)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The store was dug into the rock by three masons", "[+three][-two]"),
        ("The store was not dug into the rock by two masons", "[+not ]"),
        ("The store was dug into the rock from Hamarvik", "[-by two masons ]"),
        ("Some store was dug into the rock by two masons", "[+Some][-The]"),
        ("glass that faces the open sea to the south.", "[+south][-north]"),
        ("He wrote “all is well” in the log.", '[+“][-"][+”][-"]'),
        ("gulls nested on its Roof.", "[+gulls][-Gulls][+Roof][-roof]"),
        ("NOBODY ANSWERED IT.", "[+NOBODY][-Nobody][+ANSWERED][-answered][+IT][-it]"),
        ("Tide 12 came in at quay number 13.", "[+13][-12]"),
        ("It is not known who built the snake_case wall.", "[-*][-*]"),
        ("海はとても広く、風はいつも弱い。", "[+弱][-強]"),
    ],
)
def test_what_was_changed_is_shown(store: Store, text: str, shown: str) -> None:
    result = only(text, store)
    signs = {ChangeKind.QUOTED: "+", ChangeKind.ARTICLE: "-"}
    changes = [change for change in result.changes if change.kind in signs]
    assert result.verdict is QuoteVerdict.CHANGED
    assert "".join(f"[{signs[change.kind]}{change.text}]" for change in changes) == shown


def test_only_case_accents_and_quotation_marks_are_slight_changes(store: Store) -> None:
    assert only("He wrote “all is well” in the log.", store).is_slight
    assert only("gulls nested on its róof.", store).is_slight
    for text in ("Gulls nested on his roof.", "Gulls nested on its roof.", "Otters."):
        assert not only(text, store).is_slight


@pytest.mark.parametrize(
    "text",
    [
        "The council will vote on the new tram line in the autumn.",
        "The masons of Hamarvik met every spring to drink and sing.",
        "Otters",
        "the rock store",
        "Zażółć gęślą jaźń i tak dalej.",
        "東京は日本の首都である。",
        "12345",
    ],
)
def test_what_no_article_says_is_absent(store: Store, text: str) -> None:
    assert only(text, store) == VerifiedSentence(text, QuoteVerdict.ABSENT)


@pytest.mark.parametrize(
    ("message", "quoted"),
    [
        ('She says "It is so." and went.', ["It is so."]),
        ("She says “It is so.” and “It’s not.”", ["It is so.", "It’s not."]),
        ("Sie sagt „Es ist so.“ oder ‚ganz anders‘.", ["Es ist so.", "ganz anders"]),
        ("Elle dit « C’est ainsi. » et ‹mais non›.", ["C’est ainsi.", "mais non"]),
        ("Hon säger ”Det är så.” och gick.", ["Det är så."]),
        ("他说「灯是亮的」和『不』。", ["灯是亮的", "不"]),
        ("He says 'It is so.', don't he?", ["It is so."]),
        ('A 5" pipe and "a quote".', ["a quote"]),
        ("The dogs' bone and the cats' milk.", ["The dogs' bone and the cats' milk."]),
        ('He called it "great".', ['He called it "great".']),
        ("> It is so.\nIs it?", ["It is so."]),
        ("Look:\n> It is\n> so.\n>\n> And so on.\n\nWell?", ["It is so.", "And so on."]),
        (">>> It is so.\n\nAnd so on.", ["It is so.", "And so on."]),
        ('> "It is so."', ["It is so."]),
        ("a > b and >c", ["a > b and >c"]),
        ("> **It** is _very_ ~~not~~ ||so|| `x`.", ["It is very not so x."]),
        ("> \\- It \\*is\\* 2 * 3 in a_b", ["It *is* 2 * 3 in a_b"]),
        ("It is so ... and [...] so on…", ["It is so", "and", "so on"]),
        ("1. One rope.\n2. Two oils.\n- tar", ["One rope.", "Two oils.", "tar"]),
        ("?! … 🦊", []),
        ("  \n> \n", []),
    ],
)
def test_what_a_message_quotes_is_verified(store: Store, message: str, quoted: list[str]) -> None:
    assert [result.quoted for result in checked(message, store)] == quoted


@pytest.mark.parametrize(
    ("message", "verdicts"),
    [
        ('He wrote "all is well" in the log.', ["exact"]),
        ('He says "Gulls nested on its roof." and “Nobody has seen.”', ["exact", "changed"]),
        ("> Gulls nested on its roof.\n> Otters came to live in the old boat.", ["exact", "absent"]),
    ],
)
def test_each_sentence_of_a_message_has_a_verdict(store: Store, message: str, verdicts: list[str]) -> None:
    assert [result.verdict.value for result in checked(message, store)] == verdicts


def test_ten_sentences_are_verified_and_of_a_long_one_its_beginning(store: Store) -> None:
    many = " ".join(f"Tide {at} came in at quay number {at}." for at in range(15))
    assert [result.paragraph for result in checked(many, store)] == list(range(1, 11))
    long = LONG.replace(".", ",")[:6_000]
    quoted = only(long, store).quoted
    assert 1_900 < len(quoted) <= 2_000
    assert long.startswith(f"{quoted} ")


@given(st.data())
def test_any_sentence_of_an_article_is_exact_at_its_place(store: Store, data: st.DataObject) -> None:
    article, paragraph, text, start = data.draw(st.sampled_from(sentences(store)))
    assume(not set('"*-') & set(text) and len(text.split()) > 1 and text != "Gulls nested on its roof.")
    around = st.sampled_from(["{}", "> {}", '"{}"', "Look:\n> {}\nIs it so?", "He says «{}», I think. Do I?"])
    first = checked(data.draw(around).format(text), store)[0]
    assert first.verdict is QuoteVerdict.EXACT
    assert (first.article, first.paragraph, first.start) == (article, paragraph, start)


@given(st.data())
def test_a_changed_letter_is_shown_where_the_sentence_stands(store: Store, data: st.DataObject) -> None:
    chosen = [one for one in sentences(store) if one[0].id in {"rock", "clover"} and len(one[2]) > 25]
    article, paragraph, text, _ = data.draw(st.sampled_from(chosen))
    assume(not set('"*-\n') & set(text))
    at = data.draw(st.sampled_from([at for at, letter in enumerate(text) if letter.isalnum()]))
    letter = data.draw(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F))
    changed = f"{text[:at]}{letter}{text[at + 1 :]}"
    # If that makes another word of the article, a longer stretch with that word is as similar.
    assume(letter != text[at] and set(words(changed)) & set(words(article.text)) <= set(words(text)))
    (result,) = checked(f"> {changed}", store)
    assert result.verdict is QuoteVerdict.CHANGED
    assert (result.article, result.paragraph, result.original) == (article, paragraph, text)


@given(st.text(max_size=200) | st.lists(st.sampled_from(words(ROCK)), max_size=40).map(" ".join))
@example('" OR NEAR( *')
@example("\ud800 Gulls nested on its roof.")
@example("Gulls nested\x00on its roof.")
@example("'; DROP TABLE articles; --")
def test_any_text_is_verified(store: Store, text: str) -> None:
    checked(text, store)


HOSTILE = (
    "gulls |x|\"|> |*a _b |...a |a.|,a|'a |“a |. |((|- a\n|灯台は|\\*|the store was dug into the rock ".split(
        "|"
    )
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_takes_bounded_time(store: Store, text: str) -> None:
    """20,000 characters are read; each case takes well under 0.2 s on a quiet machine."""
    begun = time.process_time()
    checked(text * (100_000 // len(text)), store)
    assert time.process_time() - begun < 3


def test_a_quote_that_a_text_nearly_has_everywhere_takes_bounded_time(
    tmp_path: Path, encoder: Encoder
) -> None:
    (tmp_path / "articles").mkdir()
    text = "\n\n".join("a " * 2_000 for _ in range(20))
    (tmp_path / "articles/a.txt").write_text(f"Title\n\n{text}\n\n{'a ' * 900}b\n", encoding="utf-8")
    build_index(IndexSettings.load(articles=tmp_path / "articles", index=tmp_path / "index"), encoder=encoder)
    opened = open_store(tmp_path / "index")
    begun = time.process_time()
    checked("> " + "a " * 900 + "b", opened)
    assert time.process_time() - begun < 5
    opened.close()
