"""Text analysis: folding by its definition, words, and stems."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.analysis import WORD, fold, stem_words, stemmer, stems, words
from tests.strategies import hostile_text

STRAIGHT = dict(zip("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"", strict=True))
UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
CASES = st.text(alphabet="ΑΣσς İıﬁ™²Åé\u0301’각ᄀ")


def fold_slowly(text: str) -> str:
    """Fold by the definition: decompose, drop accents and what is not seen, ignore case, twice; compose."""
    for _ in range(2):
        straight = "".join(STRAIGHT.get(character, character) for character in text)
        parts = unicodedata.normalize("NFKD", straight)
        text = "".join(part for part in parts if not unicodedata.combining(part)).casefold()
        text = "".join(character for character in text if character not in UNSEEN)
    return unicodedata.normalize("NFC", text)


@given(hostile_text() | st.text(st.characters(max_codepoint=0x24F)) | CASES)
@example("ΟΔΟΣ ΟΔΟΣ.")
@example("İSTANBUL ﬁve Ⅻ ½ Ꭰꭰ 각")
def test_text_is_folded_by_the_definition_and_only_once(text: str) -> None:
    assert fold(text) == fold_slowly(text) == fold(fold(text))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łódź Ärger", "łodz arger"),
        ("“Who’s” Café", '"who\'s" cafe'),
        ("İ ™ ﬃ Straße", "i tm ffi strasse"),
        ("한국어", "한국어"),
    ],
)
def test_case_accents_and_curly_quotes_make_no_difference(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(hostile_text("tram", "lamps"), st.sampled_from(["en", "es", "xx", "zh"]))
def test_words_are_runs_of_letters_and_digits_and_each_has_a_stem(text: str, language: str) -> None:
    found = words(text)
    assert found == WORD.findall(fold(text))
    assert stems(text, language) == stem_words(found, language) == [stemmer(language)(word) for word in found]


@pytest.mark.parametrize(
    ("language", "same"),
    [("en", ("commission", "commissions", "commissioning")), ("es", ("barco", "barcos")), ("xx", ("tram",))],
)
def test_inflections_share_a_stem_in_any_thread(language: str, same: tuple[str, ...]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = {tuple(stem) for stem in pool.map(lambda word: stems(word, language), same * 50)}
    assert len(found) == 1
