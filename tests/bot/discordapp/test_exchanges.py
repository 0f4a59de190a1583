"""What was asked and answered lately: few, and not old."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.answering.followups import Earlier
from bot.chat.conversations import MOST, OLDEST, Exchange, Exchanges


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def exchange(question: str = "Why?") -> Exchange:
    return Exchange(question, None, None, Earlier(question))


def test_what_a_message_answered_is_known_for_its_time() -> None:
    clock = Clock()
    kept, why = Exchanges(clock), exchange()
    kept.remember(why, message=1, channel=2, user=3)
    clock.now += OLDEST
    assert kept.of_message(1) is kept.latest(2, 3) is kept.latest(2) is why
    clock.now += 1
    assert kept.of_message(1) is kept.latest(2, 3) is kept.latest(2) is None


def test_the_latest_is_told_by_channel_and_by_person_there() -> None:
    kept = Exchanges(Clock())
    told = [exchange(f"{number}?") for number in range(4)]
    kept.remember(told[0], message=10, channel=1, user=100)
    kept.remember(told[1], message=11, channel=1, user=200)
    kept.remember(told[2], message=12, channel=2, user=100)
    assert [kept.of_message(message) for message in (10, 11, 12)] == told[:3]
    assert kept.latest(1, 100) is told[0]
    assert kept.latest(1, 200) is kept.latest(1) is told[1]
    assert kept.latest(2, 100) is kept.latest(2) is told[2]
    assert kept.latest(2, 200) is kept.latest(3) is kept.of_message(1) is None
    kept.remember(told[3], message=13, channel=1, user=100)
    assert kept.latest(1, 100) is kept.latest(1) is told[3]
    assert kept.latest(1, 200) is told[1]


@pytest.mark.parametrize("people", [1, 7, MOST * 2])
def test_the_latest_answers_are_known_and_no_more(people: int) -> None:
    kept = Exchanges(Clock())
    for number in range(MOST + 50):
        kept.remember(exchange(), message=number, channel=-number % people, user=number % people)
    known = [number for number in range(MOST + 50) if kept.of_message(number)]
    assert known == list(range(50, MOST + 50))
    last = MOST + 49
    assert kept.latest(-last % people, last % people) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 5), st.integers(0, 5), st.floats(0, OLDEST / 3)),
        max_size=60,
    )
)
def test_nothing_old_is_told_and_nothing_old_is_kept(steps: list[tuple[int, int, int, float]]) -> None:
    clock = Clock()
    kept = Exchanges(clock)
    by_message: dict[int, tuple[float, Exchange]] = {}
    by_place: dict[tuple[int, int | None], tuple[float, Exchange]] = {}
    for message, channel, user, seconds in steps:
        one = exchange(f"{message} in {channel}?")
        kept.remember(one, message=message, channel=channel, user=user)
        by_message[message] = by_place[channel, user] = by_place[channel, None] = (clock.now, one)
        young = [1 for at, _ in (*by_message.values(), *by_place.values()) if clock.now - at <= OLDEST]
        assert len(kept) == len(young)
        clock.now += seconds
        for number, (at, told) in by_message.items():
            assert kept.of_message(number) is (told if clock.now - at <= OLDEST else None)
        for place, (at, told) in by_place.items():
            assert kept.latest(*place) is (told if clock.now - at <= OLDEST else None)


@settings(max_examples=20)
@given(st.integers(1, 6 * MOST), st.integers(1, 6 * MOST))
@example(6 * MOST, 6 * MOST)
def test_memory_is_bounded_whoever_asks_wherever(answers: int, channels: int) -> None:
    kept, one = Exchanges(Clock()), exchange()
    for number in range(answers):
        kept.remember(one, message=number, channel=number % channels, user=number)
        kept.begin_passing_on(number)
    assert len(kept) <= 6 * MOST
    assert kept.of_message(answers - 1) is one


def test_a_question_is_passed_on_once_unless_that_failed() -> None:
    clock = Clock()
    kept = Exchanges(clock)
    assert kept.begin_passing_on(1)
    assert not kept.begin_passing_on(1)
    assert kept.begin_passing_on(2)
    kept.not_passed_on(1)
    kept.not_passed_on(3)
    assert kept.begin_passing_on(1)
    assert not kept.begin_passing_on(2)
