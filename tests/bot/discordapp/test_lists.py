"""Lists for which there is only so much room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.discordapp.escape import units
from bot.discordapp.lists import listed

BLOCKS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=30))


def more(count: int) -> str:
    return f"({count} more)"


def test_what_has_room_is_shown_and_what_has_not_is_counted() -> None:
    assert listed([], 20, more) == ""
    assert listed(["one", "two"], 7, more) == "one\ntwo"
    assert listed(["one", "two", "three"], 18, more, beyond=1) == "one\ntwo\n(2 more)"
    assert listed(["one", "two", "three"], 12, more) == "one\n(2 more)"
    assert listed(["one", "two"], 7, more, beyond=3) == "(5 more)"
    assert listed(["\U0001f600\U0001f600", "two"], 7, more) == "(2 more)"


@given(BLOCKS, st.integers(20, 400), st.integers(0, 5))
def test_blocks_are_whole_and_all_are_shown_or_counted(blocks: list[str], room: int, beyond: int) -> None:
    text = listed(blocks, room, more, beyond=beyond)
    assert units(text) <= room
    if not beyond and units("\n".join(blocks)) <= room:
        assert text == "\n".join(blocks)
        return
    *shown, last = text.split("\n")
    assert shown == blocks[: len(shown)]
    assert last == more(len(blocks) + beyond - len(shown))
    if len(shown) < len(blocks):  # the next one has no room beside the note
        longest = more(len(blocks) + beyond)
        assert units("\n".join([*blocks[: len(shown) + 1], longest])) > room
