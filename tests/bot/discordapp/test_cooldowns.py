"""Cooldowns: a minute's questions at once, then as many as the rate gives, and no memory without bound."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.rate_limit import Cooldowns

ANN, BEN = 11, 12
HARBOUR, MILL = 91, 92


@dataclass
class Clock:
    """A clock that is moved by hand."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def takes(cooldowns: Cooldowns, user: int, server: int | None = None) -> int:
    """Ask until it is refused, and return how often it was not."""
    return next(count for count in range(1_000) if cooldowns.take(user, server) > 0)


def test_user_may_ask_a_minutes_questions_at_once_and_then_waits_for_one(clock: Clock) -> None:
    cooldowns = Cooldowns(6, 0, clock)
    assert takes(cooldowns, ANN) == 6
    assert cooldowns.take(ANN, None) == pytest.approx(10.0)
    clock.now += 4
    assert cooldowns.take(ANN, None) == pytest.approx(6.0)
    clock.now += 25
    assert takes(cooldowns, ANN) == 2
    clock.now += 3600
    assert takes(cooldowns, ANN) == 6


def test_users_and_servers_do_not_pay_for_each_other(clock: Clock) -> None:
    cooldowns = Cooldowns(3, 5, clock)
    assert takes(cooldowns, ANN, HARBOUR) == 3
    assert takes(cooldowns, BEN, HARBOUR) == 2
    assert takes(cooldowns, BEN, MILL) == 1
    assert takes(cooldowns, 13, MILL) == 3
    assert takes(cooldowns, 14, None) == 3


def test_question_that_is_refused_takes_nothing_from_either_bucket(clock: Clock) -> None:
    cooldowns = Cooldowns(4, 2, clock)
    assert takes(cooldowns, ANN, HARBOUR) == 2
    assert all(cooldowns.take(ANN, HARBOUR) > 0 for _ in range(20))
    assert takes(cooldowns, ANN, MILL) == 2
    assert all(cooldowns.take(ANN, 93) > 0 for _ in range(20))
    assert takes(cooldowns, BEN, 93) == 2


def test_wait_is_that_of_the_slower_bucket(clock: Clock) -> None:
    cooldowns = Cooldowns(1, 2, clock)
    assert takes(cooldowns, ANN, HARBOUR) == 1
    assert takes(cooldowns, BEN, HARBOUR) == 1
    assert cooldowns.take(ANN, HARBOUR) == pytest.approx(60.0)
    assert cooldowns.take(13, HARBOUR) == pytest.approx(30.0)


def test_rate_of_nought_is_no_limit(clock: Clock) -> None:
    assert all(Cooldowns(0, 0, clock).take(ANN, HARBOUR) == 0 for _ in range(1000))
    assert takes(Cooldowns(0, 2, clock), ANN, HARBOUR) == 2
    assert takes(Cooldowns(2, 0, clock), ANN, HARBOUR) == 2


@given(
    rate=st.integers(1, 90),
    steps=st.lists(st.floats(0, 90) | st.just(0.0) | st.just(60.0) | st.none(), min_size=1, max_size=200),
    began=st.floats(0, 1e7),
)
def test_never_more_than_the_rate_in_any_window_and_never_less_than_was_said(
    rate: int, steps: list[float | None], began: float
) -> None:
    """A step of None waits for just as long as was said, and then the question may be asked."""
    clock = Clock(began)
    cooldowns = Cooldowns(rate, 0, clock)
    asked: list[float] = []
    wait = 0.0
    for step in steps:
        due = step is None and wait > 0
        clock.now += wait if step is None else step
        wait = cooldowns.take(ANN, None)
        assert wait == 0 or not due
        assert 0 <= wait <= 60 / rate
        if wait == 0:
            asked.append(clock.now)
    for first, last in itertools.combinations_with_replacement(range(len(asked)), 2):
        assert last - first + 1 <= rate + rate * (asked[last] - asked[first]) / 60 + 1e-5


def test_many_ids_at_once_find_a_bound(clock: Clock) -> None:
    cooldowns = Cooldowns(30, 300, clock)
    for number in range(30_000):
        assert cooldowns.take(number, 1_000_000 + number) == 0
        assert len(cooldowns) <= 10_000


def test_buckets_that_are_full_again_are_forgotten(clock: Clock) -> None:
    cooldowns = Cooldowns(30, 0, clock)
    sizes = []
    for number in range(10_000):
        cooldowns.take(number, None)
        sizes.append(len(cooldowns))
        clock.now += 60
    assert 1 in sizes[1:]


def test_a_flood_of_new_ids_does_not_free_who_asked_too_much(clock: Clock) -> None:
    cooldowns = Cooldowns(30, 0, clock)
    assert takes(cooldowns, ANN) == 30
    for number in range(20_000):
        cooldowns.take(1_000 + number, None)
    assert cooldowns.take(ANN, None) > 0
