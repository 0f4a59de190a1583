"""A token is hidden however it stands in a text: whole, in part, or in base64 after anything else."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from bot.redaction import HIDDEN, Redactor

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"  # made up


@given(before=st.binary(max_size=7), after=st.binary(max_size=5))
def test_it_is_hidden_in_base64_whatever_stands_before_and_after_it(before: bytes, after: bytes) -> None:
    shown = Redactor(TOKEN)(base64.b64encode(before + TOKEN.encode() + after).decode())
    assert HIDDEN in shown
    assert len(shown.replace(HIDDEN, "")) < 8 * 3


@given(before=st.text(max_size=9), after=st.text(max_size=9))
def test_it_is_hidden_whole_and_in_part(before: str, after: str) -> None:
    redact = Redactor(TOKEN)
    assert TOKEN not in redact(f"{before}{TOKEN}{after}")
    assert TOKEN[5:30] not in redact(f"{before}{TOKEN[5:30]}{after}")
