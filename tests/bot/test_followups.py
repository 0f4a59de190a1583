"""Follow-ups: what leans, what it is read with, which answer is shown; that it helps with real vectors."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.answer import Answer, Verdict, answer
from bot.answering.confidence import find_judge
from bot.answering.followups import Earlier, Lean, Reading, ask_following, choose, leaning, readings
from index.encoding.encoder import Encoder
from index.search.hits import TermMatch
from index.search.question import Term
from index.search.search import Search
from index.search.wanted import Wanted
from index.storage.local import open_generation
from tests.bot.made import FIT, JUDGE, Line, found, hit, made_hit, question

FERRY = Earlier("Who runs the Marrow Sound ferry?", "It is run by Ann Holt.", "Ann Holt", "ferry")
ALONE = Reading("who chairs it?")
TOGETHER = Reading("who chairs it? Marrow Sound. who chairs it?", "Marrow Sound")
ASKED = "What does it cost?"

Ask = Callable[[str], Answer]


# ---- what leans


@pytest.mark.parametrize(
    "text",
    [
        "Who chairs it?",
        "and who chairs it?",
        "When did she start",
        "How many people does it carry?",
        "What year did they move there?",
        "Which of them is older?",
        "How much did that cost?",
        "Is its roof new?",
        "Why?",
        "Since when?",
        "how much",
        "In how many minutes?",
        "And in winter?",
        "What about December?",
        "how about the first tenors",
        "WHO CHAIRS IT",
        "\N{LEFT DOUBLE QUOTATION MARK}who chairs it?\N{RIGHT DOUBLE QUOTATION MARK}",
    ],
)
def test_what_cannot_be_understood_alone_leans_wholly(text: str) -> None:
    assert leaning(text) is Lean.WHOLLY


@pytest.mark.parametrize(
    "text",
    [
        "And who pays for the boats?",
        "But why was the law upheld?",
        "So which parishes own the company?",
        "Then when was the bridge built?",
        "When did she leave Penmoor?",
        "What about Penmoor?",
        "And the boats of the island council?",
    ],
)
def test_what_only_goes_on_or_has_a_name_of_its_own_leans_perhaps(text: str) -> None:
    assert leaning(text) is Lean.PERHAPS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "And",
        "Who chairs the board?",
        "When did the choir get its own hall?",
        "Why did Ann Holt sell her boats?",
        "Who said that the ferry was late?",
        "Is there a toilet on board?",
        "Are there toilets on board?",
        "How many crossings are there a day in summer?",
        "What is photosynthesis?",
        "sourdough",
        "Who wrote Hamlet?",
        "Who chairs it? " + "We were told of it at the last meeting of the board. " * 8,
    ],
)
def test_what_is_complete_leans_on_nothing(text: str) -> None:
    assert leaning(text) is Lean.NOT


@pytest.mark.parametrize(
    ("text", "lean"),
    [
        ("¿Desde cuándo?", Lean.WHOLLY),
        ("¿Y en invierno?", Lean.WHOLLY),
        ("¿Cuánto gana ella?", Lean.WHOLLY),
        ("¿Por qué se marchó él?", Lean.WHOLLY),
        ("¿Cuál fue su primera decisión?", Lean.WHOLLY),
        ("¿Quién lo fundó?", Lean.WHOLLY),
        ("¿Qué tal los tenores?", Lean.WHOLLY),
        ("¿Y quién dirige la banda municipal?", Lean.PERHAPS),
        ("¿Quién dirige el coro?", Lean.NOT),
        ("¿Es verdad lo que dice el alcalde?", Lean.NOT),
        ("¿Dónde esta el molino?", Lean.NOT),
    ],
)
def test_spanish_leans_by_words_of_its_own(text: str, lean: Lean) -> None:
    assert leaning(text, "es") is lean


def test_nothing_leans_in_a_language_whose_words_are_not_known() -> None:
    assert leaning("Und wer leitet es?", "de") is Lean.NOT
    assert readings("Who chairs it?", FERRY, "") == (Reading("Who chairs it?"),)


# ---- what it is read with


def test_a_question_that_leans_on_nothing_is_read_alone_as_it_was_typed() -> None:
    typed = "  Who  chairs the\nboard? "
    assert readings(typed, FERRY) == (Reading(typed, ""),)


def test_the_subject_is_the_names_and_then_the_other_words_that_say_something() -> None:
    alone, together = readings("What does it cost?", Earlier("How many people does the ferry to Osk carry?"))
    assert alone == Reading("What does it cost?", "")
    assert together.note == "Osk people ferry carry"


def test_a_capital_at_the_beginning_makes_no_name() -> None:
    assert readings("Why?", Earlier("Does Osk have harbours?"))[1].note == "Osk harbours"
    assert readings("Why?", Earlier("Boats from Osk?"))[1].note == "Osk Boats"


def test_the_words_of_the_follow_up_stand_on_both_sides_of_the_subject() -> None:
    _, together = readings("what does it cost", Earlier("Who runs the ferry?"))
    assert together == Reading("what does it cost runs ferry. what does it cost", "runs ferry")


def test_what_the_follow_up_says_itself_is_not_added() -> None:
    _, together = readings("And the small ferry?", Earlier("Where is the red FERRY?"))
    assert together.note == "red"
    assert readings("And the ferry?", Earlier("Where is the ferry?")) == (Reading("And the ferry?"),)


def test_he_and_she_are_also_read_with_the_name_that_was_the_answer() -> None:
    notes = [one.note for one in readings("When did she start?", FERRY)]
    assert notes == ["", "Marrow Sound runs ferry", "Ann Holt"]


def test_the_same_subject_is_read_once() -> None:
    assert len(readings("When did she start?", Earlier("Who is Ann Holt?", highlight="Ann Holt"))) == 2


@pytest.mark.parametrize(
    ("text", "earlier"),
    [
        ("When did it start?", FERRY),
        ("When did she start?", dataclasses.replace(FERRY, highlight="35 minutes")),
        ("When did she start?", dataclasses.replace(FERRY, highlight="")),
    ],
)
def test_it_and_what_is_no_name_are_read_with_the_subject_alone(text: str, earlier: Earlier) -> None:
    assert [one.note for one in readings(text, earlier)] == ["", "Marrow Sound runs ferry"]


def test_after_a_question_that_leaned_and_was_asked_alone_the_names_of_its_quote_are_the_subject() -> None:
    earlier = Earlier("When did she join?", "Ann Holt joined in 1996.")
    assert readings("And as what?", earlier)[1].note == "Ann Holt join"


def test_nothing_before_leaves_a_follow_up_alone() -> None:
    assert readings("Why?", Earlier("")) == (Reading("Why?"),)
    assert readings("Why?", Earlier("Who is it?")) == (Reading("Why?"),)


_TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            "and but who why when she he it there that the of Ann Holt Osk ferry is did lo que y él ella ¿ ?"
            " . \ud800 \u0301 ΐ ǅ ß İ 1907 \n _ ' ’s Dr. A.".split(" ")
        ),
        max_size=300,
    ).map(" ".join),
)


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS, st.sampled_from(["en", "es", "de", ""]))
def test_any_text_has_one_to_three_bounded_readings_of_which_alone_is_first(
    text: str, before: str, quote: str, highlight: str, language: str
) -> None:
    found = readings(text, Earlier(before, quote, highlight, "one"), language)
    assert found[0] == Reading(text, "")
    assert 1 <= len(found) <= 3
    assert len(found) == len(set(found))
    assert all(one.note and one.note in one.text and len(one.text) <= 1200 for one in found[1:])
    assert (len(found) == 1) or leaning(text, language)


def test_the_longest_question_that_leans_is_read_within_the_bound() -> None:
    text = ("who chairs it " * 40)[:400]
    long = Earlier(" ".join(f"Osk{number}" for number in range(2000)), highlight="Ann Holt " * 200)
    _, together = readings(text, long)
    assert 900 < len(together.text) <= 1200


# ---- which answer is shown


def given_answer(score: float, article: str = "ferry") -> Answer:
    """Make an answer whose confidence rises with the score; it is a half at a score of 0.5."""
    return answer("?", found(made_hit(score, article=article)), judge=JUDGE, generation="g")


@pytest.mark.parametrize("lean", Lean)
@pytest.mark.parametrize(("alone", "together"), [(0.4, 0.6), (0.6, 0.4)])
def test_within_the_article_of_before_the_surest_answer_is_shown(
    lean: Lean, alone: float, together: float
) -> None:
    answers = [(ALONE, given_answer(alone)), (TOGETHER, given_answer(together))]
    assert choose(answers, FERRY, lean) == answers[alone < together]


def test_of_answers_that_are_as_sure_the_one_alone_is_shown() -> None:
    answers = [(ALONE, given_answer(0.5)), (TOGETHER, given_answer(0.5))]
    assert choose(answers, FERRY, Lean.WHOLLY) == answers[0]


@pytest.mark.parametrize(
    ("lean", "earlier", "shown"),
    [
        (Lean.WHOLLY, FERRY, 1),
        (Lean.PERHAPS, FERRY, 0),
        (Lean.WHOLLY, dataclasses.replace(FERRY, article=None), 0),
    ],
)
def test_only_what_leans_wholly_is_not_believed_alone_in_another_article(
    lean: Lean, earlier: Earlier, shown: int
) -> None:
    answers = [(ALONE, given_answer(0.9, "choir")), (TOGETHER, given_answer(0.1))]
    assert choose(answers, earlier, lean) == answers[shown]


def test_of_two_subjects_the_surer_is_shown() -> None:
    answers = [
        (ALONE, given_answer(0.9, "choir")),
        (TOGETHER, given_answer(0.1)),
        (TOGETHER, given_answer(0.2)),
    ]
    assert choose(answers, FERRY, Lean.WHOLLY) == answers[2]


def test_a_reading_that_finds_nothing_is_never_shown_instead() -> None:
    nothing = answer("?", found(), judge=JUDGE, generation="g")
    answers = [(ALONE, given_answer(0.1, "choir")), (TOGETHER, nothing)]
    assert choose(answers, FERRY, Lean.WHOLLY) == answers[0]
    assert choose([(ALONE, nothing)], FERRY, Lean.WHOLLY) == (ALONE, nothing)


def weighed(
    *matches: tuple[str, float, bool],
    score: float = 0.9,
    wanted: Wanted = Wanted.ANY,
    has_value: float = 0.5,
    says: bool = True,
) -> Answer:
    """Make an answer; each match is a word of its question, how near one is, and whether it is there."""
    terms = tuple(
        TermMatch(Term(word, 0, 1, (), 1.0, says), near, in_words) for word, near, in_words in matches
    )
    one = dataclasses.replace(
        hit(score, [Line("The ferry is red.", wanted=has_value)], article="ferry"), terms=terms
    )
    return answer("?", found(one, asked=question(wanted=wanted)), judge=JUDGE, generation="g")


def shown(together: Answer, alone: float = 0.0) -> Answer:
    """Return what is shown of a question alone, and of one answered together with a subject."""
    reading = dataclasses.replace(ALONE, text=ASKED)
    return choose([(reading, given_answer(alone)), (TOGETHER, together)], FERRY, Lean.WHOLLY)[1]


def test_what_lacks_a_word_that_was_asked_is_near_at_best() -> None:
    sure = weighed(("cost", 0.2, False), ("ferry", 1.0, True))
    assert sure.verdict is Verdict.ANSWERED
    lowered = shown(sure)
    assert (lowered.verdict, lowered.confidence) == (Verdict.RELATED, FIT.related_at)
    assert lowered.quotes == sure.quotes


@pytest.mark.parametrize(
    "together",
    [
        weighed(("cost", 0.2, True), ("ferry", 0.1, False)),
        weighed(("cost", 0.6, False)),
        weighed(("cost", 0.2, False), says=False),
        weighed(("ferry", 0.1, False)),
        weighed(),
        weighed(("cost", 0.2, True), wanted=Wanted.MONEY, has_value=1.0),
        weighed(("cost", 0.2, True), wanted=Wanted.PERSON, has_value=0.0),
    ],
    ids=[
        "has it",
        "is near it",
        "says little",
        "lacks the subject's",
        "no words",
        "has money",
        "asks no value",
    ],
)
def test_what_meets_the_words_that_were_asked_is_shown_as_it_is(together: Answer) -> None:
    assert shown(together) == together


def test_what_is_not_found_is_not_lifted_to_near() -> None:
    far = weighed(("cost", 0.2, False), score=0.1)
    assert far.verdict is Verdict.NOT_FOUND
    assert shown(far) == far


def test_where_a_number_is_asked_for_a_sentence_without_one_is_near_at_best() -> None:
    lowered = shown(weighed(("cost", 1.0, True), wanted=Wanted.MONEY, has_value=0.0))
    assert lowered.verdict is Verdict.RELATED


def test_what_was_lowered_gives_way_to_a_surer_answer_alone() -> None:
    lowered = weighed(("cost", 0.2, False))
    assert shown(lowered, alone=0.6).verdict is Verdict.ANSWERED
    assert shown(lowered, alone=0.6).confidence < lowered.confidence


def test_an_answer_to_the_question_alone_is_never_lowered() -> None:
    alone = weighed(("cost", 0.2, False))
    assert choose([(dataclasses.replace(ALONE, text=ASKED), alone)], FERRY, Lean.WHOLLY)[1] is alone


# ---- asking


def asking(asked: list[str], surest: str) -> Ask:
    """Return what answers any text, and the text that has a word the surest; it notes the texts."""

    def ask(text: str) -> Answer:
        asked.append(text)
        results = found(made_hit(0.9 if surest in text else 0.5), asked=question(text))
        return answer(text, results, judge=JUDGE, generation="g")

    return ask


def test_each_reading_is_asked_once_and_the_answer_has_the_question_as_typed() -> None:
    asked: list[str] = []
    given, note = ask_following(" when did she  start?", FERRY, asking(asked, "Holt"))
    assert asked == [one.text for one in readings(" when did she  start?", FERRY)]
    assert len(asked) == 3
    assert (given.question, note) == (" when did she  start?", "Ann Holt")
    assert given.reasons is not None
    assert given.reasons.found.question.typed == asked[2]


def test_a_complete_question_is_asked_once_and_has_no_note() -> None:
    asked: list[str] = []
    ask = asking(asked, "Marrow")
    given, note = ask_following("Who chairs the board?", FERRY, ask)
    assert asked == ["Who chairs the board?"]
    assert (given, note) == (ask("Who chairs the board?"), "")


def test_the_follow_up_of_a_follow_up_still_has_the_subject() -> None:
    ask = asking([], "Marrow")
    first, _ = ask_following("When did it start?", Earlier.of(ask(FERRY.question)), ask)
    _, note = ask_following("Why?", Earlier.of(first), ask)
    assert set(note.split()) >= {"Marrow", "Sound", "ferry", "start"}


# ---- what is kept of an answer


def test_of_an_answer_its_quote_its_highlight_and_its_article_are_kept() -> None:
    text = "The ferry is slow. Ann Holt runs the boats."
    given = answer("Who runs it?", found(made_hit(0.9, text, article="ferry")), judge=JUDGE, generation="g")
    (quote,) = given.quotes
    assert quote.start > 0
    at = quote.start + quote.text.index("Ann")
    pointed = dataclasses.replace(given, quotes=(dataclasses.replace(quote, highlight=(at, at + 8)),))
    assert Earlier.of(pointed) == Earlier("What does it say?", quote.text, "Ann Holt", "ferry")
    assert Earlier.of(given).highlight == ""
    assert Earlier.of(dataclasses.replace(given, reasons=None)).question == "Who runs it?"


def test_of_what_was_not_answered_no_quote_is_kept_and_its_article_only_where_it_is_near() -> None:
    near, far = given_answer(0.4), given_answer(0.0)
    assert (near.verdict, far.verdict) == (Verdict.RELATED, Verdict.NOT_FOUND)
    assert Earlier.of(near) == Earlier("What does it say?", article="ferry")
    assert Earlier.of(far) == Earlier("What does it say?")


def test_what_is_kept_of_an_answer_is_bounded() -> None:
    long = made_hit(0.9, "A. " + "the ferry " * 500)
    kept = Earlier.of(answer("?", found(long, asked=question("why " * 2000)), judge=JUDGE, generation="g"))
    assert (len(kept.question), len(kept.quote)) == (1200, 1200)


# ---- with the real encoder


@pytest.fixture(scope="module")
def ask(built: Path, encoder: Encoder) -> Iterator[Ask]:
    """Return what answers from the small article set."""
    generation = open_generation(built / ".footnote/index")
    search = Search(generation, encoder)
    judge = find_judge(built / "none", encoder.model.fingerprint, None)
    yield lambda text: answer(text, search(text), judge=judge, generation=generation.name)
    generation.close()


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("Why does sourdough rise slowly?", "And in a cool cellar?", "stretches the rise to a whole day"),
        ("Who kept the lamp on Gull Rock?", "What did she write in the log?", "all's well"),
        ("Who kept the lamp on Gull Rock?", "For how long?", "thirty-one years"),
        ("How wide are the blades of the turbine at Wexholm?", "What colour was it?", "painted red"),
        ("Does sourdough rise slowly?", "Why?", "because wild yeast is scarce"),
    ],
)
def test_a_follow_up_that_is_not_answered_alone_is_answered_with_what_was_asked_before(
    ask: Ask, before: str, text: str, expected: str
) -> None:
    given, note = ask_following(text, Earlier.of(ask(before)), ask)
    assert ask(text).verdict is not Verdict.ANSWERED
    assert (given.verdict, given.question) == (Verdict.ANSWERED, text)
    assert expected in given.quotes[0].text
    assert note


def test_a_new_subject_is_answered_as_if_nothing_had_been_asked(ask: Ask) -> None:
    earlier = Earlier.of(ask("Who kept the lamp on Gull Rock?"))
    given, note = ask_following("And when was the turbine at Wexholm painted red?", earlier, ask)
    alone = ask("And when was the turbine at Wexholm painted red?")
    assert (given.quotes, given.verdict, note) == (alone.quotes, alone.verdict, "")
    assert alone.verdict is Verdict.ANSWERED


@pytest.mark.parametrize("text", ["Was it ever sold?", "And who insured it?", "How much did it cost?"])
def test_what_the_articles_do_not_say_of_the_subject_is_near_at_best(ask: Ask, text: str) -> None:
    earlier = Earlier.of(ask("When was the turbine at Wexholm painted red?"))
    given, note = ask_following(text, earlier, ask)
    assert note == "Wexholm turbine painted red"
    assert "turbine" in given.quotes[0].text
    assert given.verdict is Verdict.RELATED


def test_in_another_article_the_question_alone_is_not_believed(ask: Ask) -> None:
    given, _ = ask_following("Who owns it?", Earlier.of(ask("Does sourdough rise slowly?")), ask)
    assert ask("Who owns it?").verdict is Verdict.ANSWERED
    assert given.verdict is not Verdict.ANSWERED


# ---- the benchmark's data


def test_each_answer_of_the_benchmark_stands_once_in_the_articles_of_its_language() -> None:
    from benchmarks.followups import DATA, KINDS, read_followups

    followups = read_followups()
    texts = {
        language: [
            json.loads(line)["text"]
            for line in (DATA / f"articles-{language}.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for language in ("en", "es")
    }
    for one in followups:
        assert (one.answer is None) == (one.kind == KINDS[-1])
        if one.answer is not None:
            assert sum(text.count(one.answer) for text in texts[one.language]) == 1, one
    assert len({str(one) for one in followups}) == len(followups)
    assert {one.kind for one in followups} == set(KINDS)
