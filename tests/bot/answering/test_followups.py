"""Follow-ups: which questions depend, what they are read with, and which answer is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Citation, Quote, Verdict
from bot.answering.followups import Dependence, Earlier, ask_follow_up, dependence, subject_for
from bot.service.answerer import Answerer

QUESTIONS = {
    ("en", Dependence.YES): """
        Who chairs it? | and who chairs it? | When did she start | How many people does it carry?
        What year did they move there? | Which of them is older? | How much did that cost? | Why?
        how much | In how many minutes? | And in winter? | how about the first tenors
        WHO CHAIRS IT | “who chairs it?” | Who is the director of it? | What is the height of it?
        What did the queen say about it? | Why did the council buy it? | What is the name of its founder?
        When did the ferry first go there? | Who wrote the letter to him?
    """,
    ("en", Dependence.MAYBE): """
        And who pays for the boats? | But why was the law upheld? | Then when was the bridge built?
        What about December? | When did she leave Penmoor? | What about Penmoor? | Did Ann Holt buy it?
    """,
    ("en", Dependence.NO): """
        ?! | And | Who chairs the board? | When did the choir get its own hall? | sourdough
        Why did Ann Holt sell her boats? | Who said that the ferry was late?
        Is there a toilet on board? | Are there toilets on board?
        How many crossings are there a day in summer? | What is photosynthesis? | Who wrote Hamlet?
        Why did the club fight the plan when it heard of it? | How old was the smith when he climbed the mast?
    """,
    ("es", Dependence.YES): """
        ¿Desde cuándo? | ¿Y en invierno? | ¿Cuánto gana ella? | ¿Por qué se marchó él? | ¿Quién lo fundó?
        ¿Cuál fue su primera decisión? | ¿Qué tal los tenores? | ¿Cuál es la altura de él?
    """,
    ("es", Dependence.MAYBE): "¿Y quién dirige la banda municipal?",
    ("es", Dependence.NO): """
        ¿Quién dirige el coro? | ¿Es verdad lo que dice el alcalde? | ¿Dónde esta el molino?
    """,
}


@pytest.mark.parametrize(("language", "expected"), list(QUESTIONS))
def test_a_question_depends_if_it_cannot_be_understood_alone(language: str, expected: Dependence) -> None:
    lines = QUESTIONS[language, expected].strip().splitlines()
    for question in [question.strip() for line in lines for question in line.split("|")]:
        assert dependence(question, language) is expected, question


def test_no_question_depends_in_an_unknown_language_or_if_it_is_long() -> None:
    assert dependence("Und wer leitet es?", "de") is Dependence.NO
    assert dependence("Who chairs it? " + "We were told at the board's last meeting. " * 10) is Dependence.NO


@pytest.mark.parametrize(
    ("before", "question", "subject"),
    [
        ("How many people does the ferry to Osk carry?", "What does it cost?", "Osk people ferry carry"),
        ("Who runs the Marrow Sound ferry?", "When did she start?", "Marrow Sound runs ferry"),
        ("Does Osk have harbours?", "Why?", "Osk harbours"),
        ("Where is the red FERRY?", "And the small ferry?", "red"),
        ("Where is the ferry?", "And the ferry?", ""),
        ("Who is it?", "Why?", ""),
        ("", "Why?", ""),
        ("Who runs the ferry?", "Who chairs the board?", ""),
    ],
)
def test_the_subject_is_the_names_and_other_content_words_of_before(
    before: str, question: str, subject: str
) -> None:
    assert subject_for(question, Earlier(before)) == subject


WORDS = "and but who why she it that the of Ann Holt Osk is lo que y él ¿ ? . \ud800 ΐ İ 1907 \n ’s".split(
    " "
)
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=300).map(" ".join)


@given(TEXTS, TEXTS, st.sampled_from(["en", "es", "de", ""]))
def test_any_question_has_a_bounded_subject(question: str, before: str, language: str) -> None:
    subject = subject_for(question, Earlier(before), language)
    assert len(subject) <= 200
    assert not subject or dependence(question, language)


# ---- Which answer is shown


def answered(confidence: float, article: str = "ferry") -> Answer:
    verdict = Verdict.ANSWERED if confidence >= 0.5 else Verdict.RELATED
    quote = Quote("The ferry is red.", 1, 1, 0, 17)
    citation = Citation(1, article, "", "", "", None, None, 1, 0, 17, quote.text, confidence)
    return Answer("searched", verdict, confidence, (quote,), (citation,), "g", 0.0)


NOT_FOUND = Answer("", Verdict.NOT_FOUND, 0.0, (), (), "g", 0.0)


@pytest.mark.parametrize(
    ("question", "alone", "together", "is_together"),
    [
        ("Who chairs it?", answered(0.4), answered(0.6), True),
        ("Who chairs it?", answered(0.6), answered(0.4), False),
        ("Who chairs it?", answered(0.9), answered(0.6), True),
        ("Who chairs it?", answered(0.9, "choir"), answered(0.1), True),
        ("And who chairs the board?", answered(0.9, "choir"), answered(0.1), False),
        ("Who chairs it?", answered(0.1, "choir"), NOT_FOUND, False),
    ],
    ids=["surer", "not answered", "answered too", "alone elsewhere", "may depend", "nothing found"],
)
def test_the_surer_answer_is_shown_but_not_from_another_article(
    question: str, alone: Answer, together: Answer, is_together: bool
) -> None:
    asked: list[str] = []

    def ask(text: str) -> Answer:
        asked.append(text)
        return together if len(asked) > 1 else alone

    answer = ask_follow_up(question, Earlier("Who runs the ferry?", "ferry"), ask)
    assert asked == [question, f"{question} runs ferry. {question}"]
    assert answer.read_as == ("runs ferry" if is_together else "")
    assert answer.citations == (together if is_together else alone).citations
    assert answer.question == (question if is_together else "searched")


def test_of_an_answer_its_article_is_kept_only_if_something_was_found() -> None:
    assert Earlier.of(answered(0.9)) == Earlier("searched", "ferry")
    assert Earlier.of(answered(0.3)) == Earlier("searched", "ferry")
    assert Earlier.of(Answer("why " * 900, Verdict.NOT_FOUND, 0.0, (), (), "g", 0.0)) == Earlier("why " * 300)


# ---- With the real encoder


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ("Why does sourdough rise slowly?", "And in a cool cellar?", "stretches the rise to a whole day"),
        ("Who kept the lamp on Gull Rock?", "What did she write in the log?", "all's well"),
        ("Who kept the lamp on Gull Rock?", "For how long?", "thirty-one years"),
        ("How wide are the blades of the turbine at Wexholm?", "What colour was it?", "painted red"),
        ("Does sourdough rise slowly?", "Why?", "because wild yeast is scarce"),
    ],
)
def test_a_follow_up_is_answered_with_what_was_asked_before(
    answerer: Answerer, before: str, question: str, expected: str
) -> None:
    answer = answerer.answer(question, earlier=Earlier.of(answerer.answer(before)))
    assert (answer.verdict, answer.question) == (Verdict.ANSWERED, question)
    assert expected in answer.quotes[0].text
    assert answer.read_as


def test_the_follow_up_of_a_follow_up_keeps_the_subject(answerer: Answerer) -> None:
    before = Earlier.of(answerer.answer("Why does sourdough rise slowly?"))
    first = answerer.answer("And in a cool cellar?", earlier=before)
    assert {"sourdough", "cool", "cellar"} <= set(subject_for("Why?", Earlier.of(first)).split())


@pytest.mark.parametrize("question", ["Was it ever sold?", "And who insured it?", "How much did it cost?"])
def test_what_the_articles_do_not_say_is_at_most_related(answerer: Answerer, question: str) -> None:
    earlier = Earlier.of(answerer.answer("When was the turbine at Wexholm painted red?"))
    answer = answerer.answer(question, earlier=earlier)
    assert answer.read_as == "Wexholm turbine painted red"
    assert "turbine" in answer.quotes[0].text
    assert answer.verdict is Verdict.RELATED
