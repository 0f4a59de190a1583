"""Writing a generation: what the encoder and the lexical index read of a passage."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.articles.article import Article
from index.encoding.encoder import Encoder
from index.folding import fold
from index.language import function_words, heading_line_text, parts_asked_for
from index.passages.drafts import Draft, passage_text, split
from index.passages.splitting import Passage, Sentence
from index.search.search import Search
from index.storage.local import open_generation
from index.storage.manifest import read_pointer
from index.storage.writer import write_generation

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)


def test_any_text_comes_back_from_the_database_as_it_was(tmp_path: Path, encoder: Encoder) -> None:
    """Every field to the letter: NUL, odd white space, right-to-left marks, joined emoji."""
    odd = "a\x00b\u2028c\u202e\u00a0d 👩‍👩‍👧 e\u0301 'x' \"y\" %s ? \ufeffz"
    article = Article(odd, f"T{odd}", f"A{odd}", f"P{odd}", f"U{odd}", f"D{odd}", f"H{odd}", f"B {odd} E")
    drafts = [Draft(article, split(article, encoder, "en"))]
    written = write_generation(tmp_path, drafts, encoder, encoder.basis, "en", lambda step: None)
    assert read_pointer(tmp_path).generation == written.name
    generation = open_generation(tmp_path)
    assert generation.article(0) == article
    assert tuple(one.passage for one in generation.passages_of(0)) == drafts[0].passages
    assert generation.manifest == written.manifest
    generation.close()


def test_passage_is_encoded_with_its_title_before_it(tmp_path: Path, encoder: Encoder) -> None:
    article = Article("a", "Pond in winter", "", "", "", "", "", "It freezes in January.")
    drafts = [Draft(article, split(article, encoder, "en"))]
    write_generation(tmp_path, drafts, encoder, encoder.basis, "en", lambda step: None)
    generation = open_generation(tmp_path)
    passage, tokens = generation.passage_vectors([0])[0], generation.tokens(0, generation.manifest.tokens)
    generation.close()
    (wanted,) = encoder.encode_passages(["Pond in winter. It freezes in January."], encoder.basis)
    np.testing.assert_allclose(passage, wanted.dense, atol=1e-5)
    # The title's four tokens have told what "it" is; they are no words of the sentence.
    np.testing.assert_allclose(tokens.astype(int), wanted.tokens[4:].astype(int), atol=1)


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
            text, _ = passage_text(article, passage, encoder, "en")
            assert encoder.count_tokens([text])[0] <= encoder.window, text


@pytest.mark.parametrize("field", ["title", "author", "publisher"])
def test_heading_line_that_is_cut_is_read_as_the_part_that_it_is(small_encoder: Encoder, field: str) -> None:
    """Each piece of a long line has its own part's questions before it, and fits the window with them."""
    value = " ".join(f"Ann{number % 7}" for number in range(900))
    fields = {**dict.fromkeys(("title", "author", "publisher", "url", "published"), ""), field: value}
    article = Article(id="a", heading=value, text="Body.", **fields)
    questions = heading_line_text(article, 0, "", "en")
    texts = [
        passage_text(article, passage, small_encoder, "en")[0]
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
    assert parts_asked_for(["who", "wrote", "it"], "en") == {"author"}
    assert parts_asked_for(["quien", "escribio"], "es") == {"author"}
    assert parts_asked_for(["cuando", "se", "publico"], "es") == {"publisher", "published"}
    assert not parts_asked_for(["who", "kept", "bees"], "en")
    assert "title" in parts_asked_for(["anything"], "xx"), "of an unknown language every question may"


@given(sentences=st.lists(TEXT, min_size=1, max_size=5), title=TEXT, heading=st.booleans())
def test_spans_of_what_is_encoded_are_the_sentences(
    encoder: Encoder, sentences: list[str], title: str, heading: bool
) -> None:
    """Token vectors are given to sentences by these; of a heading the questions belong to the line."""
    text = "\n".join(one.replace("\n", " ") for one in sentences)
    spans = [(match.start(), match.end()) for match in re.finditer("[^\n]+", text)]
    passage = Passage(tuple(Sentence(int(not heading), *span) for span in spans))
    article = Article("a", title, "", "", "", "", text if heading else "", "" if heading else text)
    read, places = passage_text(article, passage, encoder, "en")
    assert places.shape == (len(spans), 2)
    for (start, end), (a, b) in zip(places.tolist(), spans, strict=True):
        assert read[start:end].endswith(text[a:b])
        assert heading or read[start:end] == text[a:b]
    assert all(a[1] < b[0] for a, b in itertools.pairwise(places.tolist()))


def test_every_token_of_a_heading_is_a_line_s(tmp_path: Path, encoder: Encoder) -> None:
    """The questions before a line are what a question about it is near to."""
    heading = "Pond in winter\nAuthor: Lea Brandt"
    article = Article("a", "Pond in winter", "Lea Brandt", "", "", "", heading, "It freezes.")
    drafts = [Draft(article, split(article, encoder, "en"))]
    write_generation(tmp_path, drafts, encoder, encoder.basis, "en", lambda step: None)
    generation = open_generation(tmp_path)
    stored = generation.passages_of(0)[0]
    generation.close()
    places = [(0, "Pond in winter"), (15, "Author: Lea Brandt")]
    lines = [heading_line_text(article, start, line, "en") for start, line in places]
    assert list(stored.tokens) == encoder.count_tokens(lines)


def test_article_of_marks_that_no_token_stands_for_is_kept(tmp_path: Path, encoder: Encoder) -> None:
    """A sentence may have no token at all; it cannot be found by late interaction, and hurts nothing."""
    article = Article("a", "T", "", "", "", "", "", "\u200b\n\nIt freezes in January.")
    sentences = (Sentence(1, 0, 1), Sentence(2, 3, 25))
    drafts = [Draft(article, (Passage(sentences),))]
    write_generation(tmp_path, drafts, encoder, encoder.basis, "en", lambda step: None)
    generation = open_generation(tmp_path)
    (stored,) = generation.passages_of(0)
    assert stored.tokens[0] == 0 < stored.tokens[1]
    first, second = Search(generation, encoder)("When does it freeze?").hits[0].sentences
    generation.close()
    assert (first.late, first.mean) == (0, 0)
    assert second.late > 0.3


def test_function_words_are_folded_as_questions_are() -> None:
    for language in ("en", "es"):
        words = function_words(language)
        assert words
        assert words == frozenset(map(fold, words))
    assert {"quien", "tambien", "mas"} <= function_words("es")
    assert function_words("xx") == frozenset()
