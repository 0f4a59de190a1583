"""Terms read by the collection's words: slips mended, what is right or foreign to it left alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.folding import fold
from index.search.spelling import Reading, Vocabulary

WORDS = {
    "academy": 4,
    "commission": 2,
    "commissioning": 9,
    "skills": 6,
    "gap": 3,
    "white": 2,
    "paper": 5,
    "letwin": 2,
    "merlin": 1,
    "satiny": 1,
    "billion": 3,
    "cocreate": 1,
    "outsourcing": 2,
    "lighthouse": 4,
    "keeper": 3,
    "political": 3,
    "request": 2,
    "elector": 2,
    "harbour": 5,
    "council": 8,
    "councils": 7,
    "theater": 2,
    "the": 30,
    "of": 30,
    "cafe": 1,
    "1874": 1,
    "theatre": 1,
    "base": 1,
    "ball": 1,
    "baseball": 1,
    "plastic": 3,
    "protestants": 2,
    "contract": 4,
}
COMMON = frozenset("berlin salary scottish scott counter act effect commissioned plastid".split())
FUNCTION_WORDS = frozenset("the of what who did in".split())


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(WORDS, COMMON, "en")


def read_one(vocabulary: Vocabulary, term: str) -> Reading:
    (reading,) = vocabulary.read([term], FUNCTION_WORDS)
    return reading


@pytest.mark.parametrize(
    ("term", "word"),
    [
        ("acadmy", "academy"),
        ("comissioning", "commissioning"),
        ("Comission", "commission"),
        ("lighthuose", "lighthouse"),
        ("keepper", "keeper"),
        ("letwyn", "letwin"),
        ("harbuor", "harbour"),
        ("hrabour", "harbour"),
        ("ahrbour", "harbour"),
        ("CÓUNCCIL", "council"),
        ("blal", "ball"),
        ("comissioned", "commissioned"),
    ],
)
def test_slip_is_mended(vocabulary: Vocabulary, term: str, word: str) -> None:
    reading = read_one(vocabulary, term)
    assert (reading.term, reading.words, reading.kind) == (term, (word,), "corrected")
    assert 0.6 <= reading.sureness <= 1


@pytest.mark.parametrize(
    "term",
    [
        "berlin",  # common words stay, near as others are
        "salary",
        "Scottish",
        "plastid",
        "counteract",
        "scotts",  # forms of common words
        "bitcoin",  # words nobody listed stay too
        "apolitical",
        "effector",
        "protestantism",
        "bequest",
        "gpa",  # short words are never corrected
        "pap",
        "187",
        "harb0ur",
        "x" * 2_000,
    ],
)
def test_word_that_the_collection_lacks_is_left_alone(vocabulary: Vocabulary, term: str) -> None:
    assert read_one(vocabulary, term) == Reading(term, (fold(term),), "unknown", 0.0)


@pytest.mark.parametrize("term", ["council", "Café", "commissions", "lighthouses", "who", "1874", "OF"])
def test_word_form_or_function_word_is_known(vocabulary: Vocabulary, term: str) -> None:
    assert read_one(vocabulary, term) == Reading(term, (fold(term),), "known", 1.0)


def test_spanish_forms_are_known_by_the_language_given() -> None:
    words = {"comision": 2, "hablar": 1}
    assert Vocabulary(words, language="es").knows("comisiones")
    assert Vocabulary(words, language="es").knows("hablando")
    assert not Vocabulary(words, language="en").knows("hablando")
    assert not Vocabulary(words, language="no such language").knows("hablando")


def test_form_is_known_among_many_words_of_its_length() -> None:
    stems = ["par" + one + other + "ant" for one in ascii_lowercase for other in ascii_lowercase]
    vocabulary = Vocabulary({f"{stem}ed": 1 for stem in stems})
    assert [stem for stem in stems if not vocabulary.knows(f"{stem}ing")] == []


def test_slip_of_a_common_word_is_not_read_as_another_word() -> None:
    words = {"scotts": 1}
    assert read_one(Vocabulary(words), "scottss").kind == "corrected"
    assert read_one(Vocabulary(words, ["scottish"]), "scottsh").kind == "unknown"


def test_more_common_word_wins_between_equals() -> None:
    few, many = {"harden": 1, "garden": 1}, {"marten": 90, "martin": 1}
    assert read_one(Vocabulary(few), "xarden").kind == "unknown"
    assert read_one(Vocabulary(many), "martnn").words == ("marten",)


def test_run_together_words_are_split(vocabulary: Vocabulary) -> None:
    assert read_one(vocabulary, "skillsgap") == Reading("skillsgap", ("skills", "gap"), "split", 0.5)
    (reading,) = vocabulary.read(["whitepaper"], (), lambda left, right: (left, right) == ("white", "paper"))
    assert (reading.words, reading.kind) == (("white", "paper"), "split")
    assert reading.sureness > 0.5
    (reading,) = vocabulary.read(["whitepaper"], (), lambda *_: False)
    assert reading.kind == "unknown"


def test_splits_come_likeliest_first() -> None:
    vocabulary = Vocabulary({"the": 9, "there": 2, "rest": 4, "st": 9, "here": 1, "therest": 1})
    assert vocabulary.splits("therest") == [("the", "rest"), ("there", "st")]
    assert vocabulary.splits("ofrest", {"of"}) == [("of", "rest")]
    assert vocabulary.splits("a") == vocabulary.splits("") == []


def test_word_taken_apart_is_joined(vocabulary: Vocabulary) -> None:
    readings = vocabulary.read(["what", "out", "sourcing", "did"], FUNCTION_WORDS)
    assert [one.kind for one in readings] == ["known", "joined", "joined", "known"]
    assert readings[1].words == readings[2].words == ("outsourcing",)
    assert vocabulary.read(["Co", "create"])[0].words == ("cocreate",)


def test_two_known_words_are_joined_only_if_never_side_by_side(vocabulary: Vocabulary) -> None:
    def kinds(side_by_side: bool | None) -> set[str]:
        adjacent = None if side_by_side is None else lambda *_: bool(side_by_side)
        return {one.kind for one in vocabulary.read(["base", "ball"], FUNCTION_WORDS, adjacent)}

    assert kinds(None) == kinds(True) == {"known"}
    assert kinds(False) == {"joined"}


def test_function_word_is_not_joined(vocabulary: Vocabulary) -> None:
    assert [one.kind for one in vocabulary.read(["the", "ater"], FUNCTION_WORDS)] == ["known", "unknown"]


def test_empty_vocabulary_reads_everything_as_unknown() -> None:
    assert [one.kind for one in Vocabulary({}).read(["harbour", "", "x"])] == ["unknown"] * 3
    assert Vocabulary([("one", 1)]).read([]) == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łódź Ärger", "łodz arger"),
        ("“Who’s”", '"who\'s"'),
        ("İ ™ ﬃ", "i tm ffi"),
        ("한국어", "한국어"),
        ("Straße", "strasse"),
    ],
)
def test_fold_takes_case_accents_and_curly_quotes(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=40))
def test_fold_is_done_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


VOCABULARY = Vocabulary(WORDS, COMMON)


@given(
    st.lists(
        st.text(max_size=12) | st.sampled_from(sorted(WORDS)) | st.from_regex(r"[a-o]{3,9}\Z"), max_size=6
    )
)
def test_any_terms_are_read_in_order_and_always_alike(terms: list[str]) -> None:
    readings = VOCABULARY.read(terms, FUNCTION_WORDS)
    assert [one.term for one in readings] == terms
    assert readings == Vocabulary(reversed(WORDS.items()), COMMON).read(terms, FUNCTION_WORDS)
    for one in readings:
        assert 0 <= one.sureness <= 1
        assert len(one.words) == (2 if one.kind == "split" else 1)
        if one.kind in {"known", "unknown"}:
            assert one.words == (fold(one.term),)
            assert one.sureness == (one.kind == "known")
        else:
            assert all(word in FUNCTION_WORDS or VOCABULARY.knows(word) for word in one.words)


@given(st.sampled_from(sorted(WORDS)))
def test_word_of_the_collection_is_never_changed(word: str) -> None:
    assert VOCABULARY.read([word.upper()])[0] == Reading(word.upper(), (word,), "known", 1.0)


def test_threads_read_alike(vocabulary: Vocabulary) -> None:
    terms = ["acadmy", "commissions", "lighthuose", "skillsgap"] * 20
    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(lambda _: vocabulary.read(terms), range(40)))
    assert all(one == readings[0] for one in readings)
