"""No quote leaves that is not proven, whatever in an index is out of step, and what is left is in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict
from bot.answering.followups import Earlier
from bot.answering.verify import CheckVerdict
from bot.service.answerer import Serving
from index.build import build_index
from index.encoding.encoder import Encoder
from index.storage.verification import verify
from tests.bot.conftest import Footnote
from tests.bot.services import serving, settings_of
from tests.bot.tampering import tamper

WHO = "Who kept the lamp on Gull Rock?"
WHEN = "When was the lighthouse on Gull Rock lit for the first time?"
SALT = "Salt goes in last."

OUT_OF_STEP = {
    "letters": "UPDATE articles SET text = replace(text, '1871', '1872')",
    "case": "UPDATE articles SET text = replace(text, 'Ebba', 'ebba')",
    "title": "UPDATE articles SET title = title || '.' WHERE name = 'lamp'",
    "heading": "UPDATE articles SET heading = replace(heading, 'Mara', 'Vera')",
    "hash": "UPDATE articles SET content_hash = replace(content_hash, substr(content_hash, 1, 1), '')",
    "sentences": 'UPDATE sentences SET start = start + 1, "end" = "end" + 1 WHERE paragraph > 0',
    "one edge": 'UPDATE sentences SET "end" = "end" - 1 WHERE paragraph > 0',
    "other article": "UPDATE articles SET "
    "(title, heading, text, content_hash, author, publisher, url, published) = "
    "(SELECT title, heading, text, content_hash, author, publisher, url, published "
    "FROM articles AS other WHERE other.name = 'odd/1') WHERE name = 'lamp'",
}
"""What may be wrong with the lamp's article though every checksum is right."""


@pytest.fixture
def opened(built: Path) -> Iterator[Serving]:
    """Open the index as it was built."""
    opened = Serving.first(settings_of(built))
    yield opened
    opened.close()


def of_the_lamp(answer: Answer) -> list[str]:
    """Return the texts that an answer has from the lamp's article."""
    cited = [one for one in (*answer.citations, *answer.further) if one.article == "lamp"]
    return [one.passage for one in cited] + [
        one.text for one in answer.quotes if answer.citation_of(one).article == "lamp"
    ]


@pytest.mark.parametrize("wrong", OUT_OF_STEP.values(), ids=OUT_OF_STEP)
def test_nothing_is_quoted_of_an_article_that_is_out_of_step(
    home: Path, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    index = home / ".footnote/index"
    tamper(index, wrong)
    assert [line for line in verify(index) if "damaged" in line] == []
    opened = Serving.first(settings_of(home))
    for earlier in (None, Earlier("Who lived on Gull Rock?")):
        for question in (WHO, WHEN):
            made = opened.answer(question, None, earlier)
            assert made.verdict is not Verdict.ANSWERED
            assert made.confidence == 0
            assert of_the_lamp(made) == []
            assert opened.answer(question, "lamp", earlier).quotes == ()
    assert opened.prover.withheld.total() > 0
    (logged, *_) = caplog.records
    assert logged.levelname == "ERROR"
    assert "article 'lamp'" in logged.getMessage()
    assert opened.name in logged.getMessage()
    for text in ("Ebba", "colza", "lighthouse on", "turbine"):
        assert text not in caplog.text
    opened.close()


async def test_what_is_out_of_step_is_neither_verified_nor_shown_in_its_place(home: Path) -> None:
    tamper(home / ".footnote/index", OUT_OF_STEP["letters"])
    async with serving(home) as service:
        quotes = "The lighthouse on Gull Rock was lit for the first time in 1872. Salt goes in last."
        lit, salt = await service.check(quotes)
        assert lit.verdict is CheckVerdict.ABSENT
        assert lit.article is None
        assert salt.verdict is CheckVerdict.EXACT
        assert await service.article("lamp") is None
        assert await service.article("bread") is not None
        assert (await service.ask("Why does sourdough rise slowly?")).verdict is Verdict.ANSWERED


def test_what_the_log_advises_mends_it(
    home: Path, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    index = home / ".footnote/index"
    tamper(index, OUT_OF_STEP["letters"], OUT_OF_STEP["sentences"])
    opened = Serving.first(settings_of(home))
    assert opened.answer(WHO, None, None).verdict is not Verdict.ANSWERED
    assert "remove CURRENT" in caplog.text
    (index / "CURRENT").unlink()
    build_index(settings_of(home), encoder=encoder)
    mended = opened.next()
    made = mended.answer(WHO, None, None)
    assert made.verdict is Verdict.ANSWERED
    assert made.quotes[0].text == "Ebba Lind kept the lamp on Gull Rock for thirty-one years."
    opened.close()
    mended.close()


def test_an_answer_on_the_command_line_is_proven_too(home: Path, footnote: Footnote) -> None:
    assert "Ebba Lind" in footnote("ask", WHO).out
    tamper(home / ".footnote/index", OUT_OF_STEP["sentences"])
    outcome = footnote("ask", WHO)
    assert outcome.status == 0
    assert "bba Lind" not in outcome.out


@given(wrong=st.sets(st.integers(0, 2)), further=st.sets(st.integers(0, 9)))
def test_what_is_left_is_numbered_from_one_and_never_surer(
    opened: Serving, wrong: set[int], further: set[int]
) -> None:
    made = opened.answer(WHO, None, None)
    assert opened.prover.prove(made) is made
    assert (made.verdict, len(made.quotes)) == (Verdict.ANSWERED, 3)
    before = opened.prover.withheld.total()
    changed = replace(
        made,
        quotes=tuple(
            replace(one, text=one.text.swapcase()) if at in wrong else one
            for at, one in enumerate(made.quotes)
        ),
        further=tuple(
            replace(one, start=one.start + 1) if at in further else one for at, one in enumerate(made.further)
        ),
    )
    left = opened.prover.prove(changed)
    kept = [one for at, one in enumerate(made.quotes) if at not in wrong]
    assert [(one.text, one.start) for one in left.quotes] == [(one.text, one.start) for one in kept]
    assert [one.citation for one in left.quotes] == list(range(1, len(kept) + 1))
    assert [left.citation_of(one).passage for one in left.quotes] == [
        made.citation_of(one).passage for one in kept
    ]
    numbers = [one.number for one in (*left.citations, *left.further)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert left.reasons is not None
    assert [one.text for one in left.reasons.cited] == [one.passage for one in left.citations]
    assert opened.prover.withheld.total() - before == len(wrong) + len(
        further & set(range(len(made.further)))
    )
    if 0 not in wrong:
        assert (left.verdict, left.confidence) == (made.verdict, made.confidence)
    else:
        assert left.verdict is (Verdict.RELATED if kept else Verdict.NOT_FOUND)
        assert left.confidence == 0
    assert left.as_json().keys() == made.as_json().keys()


@pytest.mark.parametrize(
    ("verdict", "left"), [(Verdict.RELATED, Verdict.RELATED), (Verdict.NOT_FOUND, Verdict.NOT_FOUND)]
)
def test_a_verdict_is_not_raised_by_what_is_withheld(
    opened: Serving, verdict: Verdict, left: Verdict
) -> None:
    made = replace(opened.answer(WHO, None, None), verdict=verdict)
    first = replace(made.quotes[0], end=made.quotes[0].end + 1)
    assert opened.prover.prove(replace(made, quotes=(first, *made.quotes[1:]))).verdict is left
