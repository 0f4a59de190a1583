"""Why an answer has its verdict: the scores in words, the same as those that the terminal explains."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict, answer
from bot.answering.explanation import explanation, explanation_lines
from bot.chat.words import Words, languages, words_in
from bot.discordapp.escape import escape, printable, units
from bot.discordapp.render import percent
from bot.discordapp.why import why_embed
from index.search.hits import SCORE_WEIGHTS, Found, TermMatch
from index.search.question import Term
from index.search.wanted import Wanted
from tests.bot.discordapp.bold import read_bold
from tests.bot.discordapp.fake_service import sample_answer
from tests.bot.discordapp.strategies import LANGUAGES, LONG, TEXTS, founds
from tests.bot.made import JUDGE, Line, hit, question
from tests.wire.limits import check_message
from tests.wire.renderer import render

ENGLISH = words_in("en")


def met(word: str, near: float = 0.5, *, in_words: bool = False, says: bool = True) -> TermMatch:
    return TermMatch(Term(word, 0, len(word), (word,), 1.0, says), near, in_words)


def asked(
    *terms: TermMatch, score: float = 0.9, wanted: Wanted = Wanted.ANY, has: float = 0.5, hits: int = 1
) -> Answer:
    """Answer a question of these terms from a hit with this score, whose quote has what is wanted or not."""
    made = dataclasses.replace(hit(score, [Line("The lamp was lit.", wanted=has)]), terms=terms)
    read = dataclasses.replace(question(wanted=wanted), terms=tuple(one.term for one in terms))
    return answer("Why?", Found(read, (made,) * hits), judge=JUDGE, generation="g")


def lines(answered: Answer, words: Words = ENGLISH) -> list[str]:
    embed = why_embed(answered, words)
    check_message({"embeds": [embed.to_dict()]})
    assert embed.title == words("why_title")
    return (embed.description or "").split("\n")


@pytest.mark.parametrize(
    ("score", "verdict", "share"),
    [(0.9, Verdict.ANSWERED, "83%"), (0.3, Verdict.RELATED, "31%"), (0.1, Verdict.NOT_FOUND, "16%")],
)
def test_it_says_how_sure_it_is_and_from_where_on_there_is_an_answer(
    score: float, verdict: Verdict, share: str
) -> None:
    answered = asked(met("lamp", in_words=True), score=score)
    assert answered.verdict is verdict
    assert lines(answered)[0] == ENGLISH("why_sure", share=share, answered="50%", related="20%")


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.75, "well"), (0.7499, "partly"), (0.55, "partly"), (0.54, "hardly"), (0.0, "hardly")],
)
def test_it_says_in_words_how_well_the_passage_meets_the_question(share: float, level: str) -> None:
    total = sum(SCORE_WEIGHTS.values())
    said = lines(asked(met("lamp", in_words=True), score=share * total))
    assert said[1:] == [f"- How well the passage meets the question as a whole: {level} ({share:.2f})."]


def test_it_names_the_words_that_are_missing_and_the_one_that_fits_worst() -> None:
    said = lines(
        asked(met("lamp", in_words=True), met("whale", 0.31), met("lit", 0.8), met("of", 0.1, says=False))
    )
    assert said[2:] == [
        "- It does not stand in the passage: whale, lit.",
        '- The word that fits worst is "whale": hardly (0.31).',
    ]


def test_missing_words_are_named_up_to_eight() -> None:
    said = lines(asked(*(met(f"word{number}") for number in range(20))))
    assert said[2] == "- It does not stand in the passage: " + ", ".join(f"word{n}" for n in range(8)) + "."


@pytest.mark.parametrize(
    ("wanted", "has", "expected"),
    [
        (Wanted.NUMBER, 1.0, "- The quote holds the kind of thing that was asked for (a number)."),
        (Wanted.MONEY, 0.0, "- The quote does not hold the kind of thing that was asked for (a number)."),
        (Wanted.DATE, 1.0, "- The quote holds the kind of thing that was asked for (a date or time)."),
        (
            Wanted.DURATION,
            0.0,
            "- The quote does not hold the kind of thing that was asked for (a date or time).",
        ),
        (Wanted.PERSON, 0.5, None),
        (Wanted.ANY, 0.5, None),
    ],
)
def test_it_says_whether_the_quote_has_the_value_that_was_asked_for(
    wanted: Wanted, has: float, expected: str | None
) -> None:
    said = lines(asked(met("lamp", in_words=True), wanted=wanted, has=has))
    assert said[2:] == ([expected] if expected else [])


@pytest.mark.parametrize("language", languages())
def test_a_question_without_words_and_one_that_nothing_is_near_are_told_apart(language: str) -> None:
    words = words_in(language)
    assert lines(asked(), words) == [words("why_no_words")]
    assert lines(asked(met("lamp"), hits=0), words) == [words("why_nothing")]
    assert list(explanation_lines(asked()))[-1] == ENGLISH("why_no_words")
    assert list(explanation_lines(asked(met("lamp"), hits=0)))[-1] == "No passage was found."
    assert lines(sample_answer(), words) == [words("why_no_words")]  # nothing is known of how it was read


# A word may hold anything, but no colon before white space.
TYPED = (TEXTS | LONG).map(lambda text: re.sub(r":(?=\s)", "", text)).filter(str.strip)
MATCHES = st.builds(met, TYPED, st.floats(-1, 1), in_words=st.booleans(), says=st.booleans())


@st.composite
def explained(draw: st.DrawFn) -> Answer:
    """Draw an answer from any hits, to a question of any words."""
    terms = draw(st.lists(MATCHES, min_size=1, max_size=10))
    wanted = draw(st.sampled_from(Wanted))
    read = dataclasses.replace(question(wanted=wanted), terms=tuple(one.term for one in terms))
    hits = [dataclasses.replace(one, terms=tuple(terms)) for one in draw(founds()).hits]
    return answer(draw(TEXTS), Found(read, tuple(hits)), judge=JUDGE, generation="g")


@given(explained(), LANGUAGES)
def test_it_is_within_every_limit_and_acts_on_nothing(answered: Answer, words: Words) -> None:
    for line in lines(answered, words):
        plain, bold = read_bold(line.removeprefix("- "))
        assert bold == []
        assert render(plain).constructs == []
        assert render(plain).links == []


@given(explained().filter(lambda one: bool(one.citations)))
def test_its_numbers_are_those_that_the_terminal_explains(answered: Answer) -> None:
    told = explanation(answered)
    signals = told["hits"][0]["signals"]
    said = lines(answered)
    shares = [percent(answered.confidence), percent(told["answer_at"]), percent(told["related_at"])]
    assert re.findall(r"\d+%", said[0]) == shares
    score = re.search(r"\((-?\d\.\d\d)\)\.$", said[1])
    assert score
    assert float(score[1]) * sum(SCORE_WEIGHTS.values()) == pytest.approx(signals["score"], abs=0.03)
    missing = [one for one in told["hits"][0]["terms"] if not one["in_words"]]
    worst = [re.search(r'"(.*)": \w+ \((-?\d\.\d\d)\)\.$', line) for line in said[2:]]
    values = [float(one[2]) for one in worst if one]
    saying = any(one.term.says for one in answered.reasons.cited[0].terms) if answered.reasons else False
    if values:
        assert values == [pytest.approx(signals["weakest"], abs=0.006)]
    elif saying:
        assert signals["weakest"] == 1
    assert len(missing) >= len(values)
    wanted = Wanted(told["wanted"])
    if wanted.is_value:
        assert ("does not hold" in said[-1]) == (signals["value_wanted"] != 1)


@given(TEXTS.filter(str.strip), LANGUAGES)
def test_words_are_shown_to_the_letter(word: str, words: Words) -> None:
    plain = printable(" ".join(word.split()))
    assume(units(escape(plain)) <= 60)
    assert plain in render(lines(asked(met(word, 0.2)), words)[2].removeprefix("- ")).text
