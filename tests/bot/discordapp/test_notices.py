"""Notices: within Discord's limits, and acting on nothing that they are told."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.words import Words, languages, words_in
from bot.discordapp.notices import failed_embed, notice, progress_embed, rebuilt_embed, said, status_embed
from index.progress import Progress
from tests.bot.discordapp.fake_service import REPORT
from tests.bot.discordapp.strategies import LANGUAGES, LONG, TEXTS
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")


@given(TEXTS, LONG, LANGUAGES, st.integers(0, 10**9))
def test_notices_are_within_every_limit_and_act_on_nothing(
    short: str, long: str, words: Words, count: int
) -> None:
    embeds = [
        failed_embed(words("rebuild_failed"), ValueError(long)),
        status_embed("Index", [(long, short), (short, long)] * 20),
        progress_embed(words, Progress(long, count, count)),
        progress_embed(words, None),
        rebuilt_embed(words, dataclasses.replace(REPORT, generation=long)),
    ]
    for embed in embeds:
        body = embed.to_dict()
        check_message({"embeds": [body]})
        for text in [body.get("description", ""), *(field["value"] for field in body.get("fields", []))]:
            assert render(text).constructs == []
            assert render(text).links == []


def test_a_rebuild_tells_how_far_it_is() -> None:
    assert (
        progress_embed(ENGLISH, Progress("encoding", 1200, 3400)).description == "Encoding: 1,200 of 3,400."
    )
    assert progress_embed(ENGLISH, Progress("writing", 2, 0)).description == "Writing: 2."


@pytest.mark.parametrize("language", languages())
def test_a_notice_says_its_text_and_a_fault_looks_otherwise(language: str) -> None:
    words = words_in(language)
    plain, fault = said(words, "stopping"), said(words, "fault", fault=True)
    assert (plain.title, plain.description) == (words("stopping"), words("stopping_text"))
    assert fault.colour != plain.colour == notice("x").colour
    assert notice("x").description is None


def test_a_failure_without_a_reason_says_so() -> None:
    assert failed_embed("It failed", ValueError()).description == "No reason was given."
