"""What is known of a language: questions, pronouns, and the parts of a heading that are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given

from index.analysis import words
from index.articles.article import HEADING_PARTS, Article
from index.language import (
    function_words,
    has_pronoun,
    heading_line_text,
    heading_part_at,
    heading_parts_asked_for,
    is_question,
    normalize_question,
    opens_with_pronoun,
)
from tests.strategies import hostile_text


@pytest.mark.parametrize(
    ("question", "language", "parts"),
    [
        ("Who wrote it?", "en", "author"),
        ("who is behind this article", "en", "author"),
        ("When was it published?", "en", "publisher published"),
        ("What is the headline?", "en", "title"),
        ("What is the article called?", "en", "title"),
        ("How tall is the tower?", "en", ""),
        ("¿Quién lo escribió?", "es", "author"),
        ("¿Cuál es la fecha?", "es", "published"),
        ("Wer hat es geschrieben?", "de", " ".join(HEADING_PARTS)),
    ],
)
def test_parts_of_a_heading_are_asked_for_by_their_words(question: str, language: str, parts: str) -> None:
    assert heading_parts_asked_for(words(question), language) == set(parts.split())


@pytest.mark.parametrize("given_fields", [{"title", "author"}, set(HEADING_PARTS), {"publisher"}, {"title"}])
def test_line_of_a_heading_is_known_for_its_part_though_values_are_alike(given_fields: set[str]) -> None:
    fields = {name: "Quay" if name in given_fields else "" for name in HEADING_PARTS}
    lines = [name for name in HEADING_PARTS if name in given_fields]
    (title, author, publisher, published), heading = fields.values(), "\n".join("Quay" for _ in lines)
    article = Article("a", title, author, publisher, "", published, heading, "It rains.")
    for number, name in enumerate(lines):
        assert heading_part_at(article, 5 * number) == name
        text = heading_line_text(article, 5 * number, "Quay", "en")
        assert text.endswith("? Quay")
        assert heading_parts_asked_for(words(text), "en") >= {name}
        assert heading_line_text(article, 5 * number, "Quay", "de") == f"{name} Quay"


def test_title_made_of_the_file_s_name_has_no_line() -> None:
    article = Article("a", "a", "Lea Brandt", "", "", "", "Author: Lea Brandt", "It rains.")
    assert heading_part_at(article, 0) == "author"


@pytest.mark.parametrize("sentence", ["Why does it float?", "“Why?”", "¿Por qué?) ", "لماذا؟", "It floats."])
def test_sentence_that_asks_is_told_from_one_that_answers(sentence: str) -> None:
    assert is_question(sentence) == (sentence != "It floats.")


@pytest.mark.parametrize("sentence", ["It floats.", "“Those float.", "Boats float.", "Ella flota."])
def test_opening_pronoun_is_seen_in_its_language(sentence: str) -> None:
    known = [opens_with_pronoun(sentence, language) for language in ("en", "es", "xx")]
    assert known == [sentence[:2] in {"It", "“T"}, sentence.startswith("Ella"), False]
    assert function_words("en") > {"the", "who"} > function_words("xx")


@given(hostile_text("who’s", "e\u0301", surrogates=True))
def test_normalized_question_is_plain_and_stays_so(text: str) -> None:
    plain = normalize_question(text)
    plain.encode()
    assert plain == " ".join(plain.split()) == normalize_question(plain)
    assert not set(plain) & set("\x00‘’“”")


@pytest.mark.parametrize(
    ("sentence", "language", "is_found"),
    [
        ("“In May she left.”", "en", True),
        ("Its drums were lent.", "en", True),
        ("That was all.", "en", False),
        ("The keeper of the lamp said he left.", "en", False),
        ("Entonces ella se fue.", "es", True),
        ("In May she left.", "es", False),
        ("In May she left.", "de", False),
    ],
)
def test_pronoun_for_a_name_stands_among_the_first_words(
    sentence: str, language: str, is_found: bool
) -> None:
    assert has_pronoun(sentence, language) == is_found
