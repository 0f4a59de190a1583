"""Folding: the quick way gives what decomposing a whole text gives."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from index.folding import fold

STRAIGHT = dict(zip("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"", strict=True))


def slowly(text: str) -> str:
    """Fold as the definition has it: decompose and drop accents, take off case, and both once more."""
    for _ in range(2):
        straight = "".join(STRAIGHT.get(one, one) for one in text)
        parts = unicodedata.normalize("NFKD", straight)
        text = "".join(one for one in parts if not unicodedata.combining(one)).casefold()
    return unicodedata.normalize("NFC", text)


@given(
    st.one_of(
        st.text(), st.text(st.characters(max_codepoint=0x24F)), st.text(alphabet="ΑΣσς İıﬁ™²Åé\u0301’각ᄀ")
    )
)
@example("ΟΔΟΣ ΟΔΟΣ.")
@example("İSTANBUL ﬁve Ⅻ ½ Ꭰꭰ 각")
def test_text_is_folded_as_the_definition_has_it(text: str) -> None:
    assert fold(text) == slowly(text)


def test_every_character_is_folded_as_the_definition_has_it() -> None:
    """Alone: a character's form depends on no other, until letters of several pieces are put together."""
    characters = [chr(code) for code in range(0x3000)]
    assert [one for one in characters if fold(one) != slowly(one)] == []


def test_case_accents_and_curly_quotes_make_no_difference() -> None:
    assert fold("Café “Œuvre”’s ﬁELD") == fold('CAFE "œuvre"\'s field')
