"""Lists for which there is only so much room."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from bot.discordapp.escape import units

__all__ = ["listed"]


def listed(blocks: Sequence[str], room: int, more: Callable[[int], str], *, beyond: int = 0) -> str:
    """Return blocks one below the other, as many as have room whole, in at most `room` UTF-16 units.

    Where that is not all, `more` gives the last line, of how many more there are; `beyond` counts those that
    are not among the blocks.
    """
    ends = list(accumulate(units(one) + len("\n") for one in blocks))
    if not beyond and (not ends or ends[-1] - len("\n") <= room):
        return "\n".join(blocks)
    count = len(blocks) + beyond
    shown = bisect_right(ends, room - units(more(count)))
    return "\n".join([*blocks[:shown], more(count - shown)])
