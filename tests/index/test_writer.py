"""Writing a generation: what the encoder and the lexical index read of a passage."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Article, Encoder, open_generation
from index.drafts import Draft, passage_text, split
from index.generation import read_pointer
from index.wording import content_terms, heading_line_text, parts_asked_for
from index.writer import write_generation

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


def test_any_text_comes_back_from_the_database_as_it_was(tmp_path: Path, encoder: Encoder) -> None:
    """Every field to the letter: NUL, odd white space, right-to-left marks, joined emoji."""
    odd = "a\x00b\u2028c\u202e\u00a0d 👩‍👩‍👧 e\u0301 'x' \"y\" %s ? \ufeffz"
    article = Article(odd, f"T{odd}", f"A{odd}", f"P{odd}", f"U{odd}", f"D{odd}", f"H{odd}", f"B {odd} E")
    drafts = [Draft(article, split(article, encoder, "en"))]
    name, manifest = write_generation(tmp_path, drafts, encoder, "en", lambda step: None)
    assert read_pointer(tmp_path).generation == name
    generation = open_generation(tmp_path)
    assert generation.article(0) == article
    assert tuple(one.passage for one in generation.passages_of(0)) == drafts[0].passages
    assert generation.manifest == manifest
    generation.close()


def test_passage_is_encoded_with_its_title_before_it(tmp_path: Path, encoder: Encoder) -> None:
    article = Article("a", "Pond in winter", "", "", "", "", "", "It freezes in January.")
    drafts = [Draft(article, split(article, encoder, "en"))]
    write_generation(tmp_path, drafts, encoder, "en", lambda step: None)
    generation = open_generation(tmp_path)
    passage, sentence = generation.passage_vectors([0])[0], generation.sentence_vectors([0])[0]
    generation.close()
    wanted = encoder.encode_passages(["Pond in winter. It freezes in January.", "It freezes in January."])
    np.testing.assert_allclose(passage, wanted[0], atol=1e-5)
    np.testing.assert_allclose(sentence, wanted[1], atol=1e-3)


@pytest.mark.parametrize("which", ["encoder", "small_encoder"])
def test_all_that_is_encoded_fits_the_window(request: pytest.FixtureRequest, which: str) -> None:
    """With the title before each passage, and the questions before each line of a heading; nothing is cut."""
    encoder: Encoder = request.getfixturevalue(which)
    for title in ("Ponds", "x" * 1000, "漢" * 1000, "é " * 1000, "각" * 1000, "🦊" * 1000, "?!" * 99):
        heading = f"{title}\nLea Brandt\nPond Press\n2020-01-31"
        article = Article(
            "a", title, "Lea Brandt", "Pond Press", "", "2020-01-31", heading, "word " * 600 + "."
        )
        for passage in split(article, encoder, "en"):
            text = passage_text(article, passage, encoder, "en")
            assert encoder.count_tokens([text])[0] <= encoder.window, text


@pytest.mark.parametrize("field", ["title", "author", "publisher"])
def test_heading_line_that_is_cut_is_read_as_the_part_that_it_is(small_encoder: Encoder, field: str) -> None:
    """Each piece of a long line has its own part's questions before it, and fits the window with them."""
    value = " ".join(f"Ann{number % 7}" for number in range(900))
    fields = {**dict.fromkeys(("title", "author", "publisher", "url", "published"), ""), field: value}
    article = Article(id="a", heading=value, text="Body.", **fields)
    questions = heading_line_text(article, 0, "", "en")
    texts = [
        passage_text(article, passage, small_encoder, "en")
        for passage in split(article, small_encoder, "en")
        if passage.is_heading
    ]
    assert len(texts) > 3
    assert max(small_encoder.count_tokens(texts)) <= small_encoder.window
    assert [text[: len(questions)] for text in texts] == [questions] * len(texts)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Break off what takes longer, so that a loop without end is a failure and not a wait."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_title_of_more_tokens_than_a_small_window_holds_is_split_all_the_same(
    small_encoder: Encoder,
) -> None:
    """A hundred marks are a hundred tokens; the window of this model is 62."""
    text = "It freezes in January. " * 30
    article = Article("a", "?!" * 50, "", "", "", "", "?!" * 50, text.strip())
    with within(3):
        passages = split(article, small_encoder, "en")
    sentences = [
        article.text[one.start : one.end] for p in passages if not p.is_heading for one in p.sentences
    ]
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert max(map(len, sentences)) > 1, "the text is not cut to single letters"


def test_line_of_a_heading_is_read_with_the_question_that_it_answers() -> None:
    heading = "A quiet pond\nAuthor: Lea Brandt\nPond Press\n2020"
    article = Article("a", "A quiet pond", "Lea Brandt", "Pond Press", "", "2020", heading, "Body.")

    def read(line: str, language: str = "en") -> str:
        return heading_line_text(article, heading.index(line), line, language)

    assert read("A quiet pond") == "What is the title? What is the headline of the article? A quiet pond"
    assert "Who wrote it?" in read("Author: Lea Brandt")
    assert "Who published it?" in read("Pond Press")
    assert "When was it published?" in read("2020")
    assert read("Author: Lea Brandt", "xx") == "author Author: Lea Brandt"


def test_heading_is_asked_for_by_its_words_alone() -> None:
    assert parts_asked_for({"who", "wrote", "it"}, "en") == {"author"}
    assert parts_asked_for({"quién", "escribió"}, "es") == {"author"}
    assert not parts_asked_for({"who", "kept", "bees"}, "en")
    assert "title" in parts_asked_for({"anything"}, "xx"), "of an unknown language every question may"


@given(terms=st.lists(TEXT, max_size=8), language=st.sampled_from(["en", "es", "xx"]))
def test_some_term_of_any_question_counts(terms: list[str], language: str) -> None:
    left = content_terms(terms, language)
    assert bool(left) == bool(terms)
    assert [term for term in terms if term in left] == left
