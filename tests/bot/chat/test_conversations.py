"""Heavy users are rate-limited, and recent exchanges are found again for two hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answering.followups import Earlier
from bot.chat.asking import queue_notice
from bot.chat.conversations import MAX_AGE, MAX_ANSWERS, Conversations, Exchange, RateLimiter
from bot.chat.messages import messages_in
from bot.service.job_queue import QueuePosition

RATE = 6
PAUSES = st.lists(st.floats(0, 40), min_size=1, max_size=60)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(PAUSES)
def test_a_user_never_gets_more_than_the_rate_and_no_longer_wait_than_told(pauses: list[float]) -> None:
    clock = Clock()
    limiter, asked = RateLimiter(RATE, clock), list[float]()
    for pause in pauses:
        clock.now += pause
        if wait := limiter.take(1, None):
            clock.now += wait
            assert limiter.take(1, None) == 0.0
        asked.append(clock.now)
    for at in asked:  # a full bucket and what is refilled within a minute
        assert sum(at <= other < at + 60 for other in asked) <= 2 * RATE


def test_a_server_may_ask_ten_times_as_much_as_a_user() -> None:
    limiter = RateLimiter(RATE, Clock())
    waits = [limiter.take(user, 99) for user in range(10 * RATE)]
    assert set(waits) == {0.0}
    assert limiter.take(1000, 99) == pytest.approx(1.0)  # a tenth of the time until a user's next question
    assert limiter.take(1000, 98) == limiter.take(1000, None) == 0.0


def test_a_refused_question_is_not_counted() -> None:
    limiter = RateLimiter(1, clock := Clock())
    assert limiter.take(1, 9) == 0.0
    assert [limiter.take(1, 9), limiter.take(1, 9)] == [60.0, 60.0]
    clock.now += 60
    assert limiter.take(1, 9) == 0.0


def test_a_flood_of_other_users_does_not_free_a_heavy_one() -> None:
    limiter = RateLimiter(1, Clock())
    for user in range(20_000):
        assert limiter.take(user, None) == 0.0
    assert limiter.take(0, None) > 0


def test_zero_is_no_limit() -> None:
    limiter = RateLimiter(0, Clock())
    assert {limiter.take(1, 9) for _ in range(1000)} == {0.0}


def test_only_a_wait_worth_telling_is_told() -> None:
    messages = messages_in("en")
    assert queue_notice(messages, QueuePosition(3, 0.9)) is None
    notice = queue_notice(messages, QueuePosition(3, 1.2))
    assert notice is not None
    assert "3" in notice.title
    assert "2 s" in notice.text


# Conversations

CHANNEL, ANN, BOB = 10, 1, 2


def remember(conversations: Conversations, message: int, user: int = ANN, *, private: bool = False) -> None:
    exchange = Exchange(f"{message}", None, Earlier(f"{message}"))
    conversations.remember(exchange, message=message, channel=CHANNEL, user=user, private=private)


def question(exchange: Exchange | None) -> str | None:
    return exchange.question if exchange else None


def test_exchanges_are_forgotten_after_two_hours() -> None:
    conversations = Conversations(clock := Clock())
    remember(conversations, 1)
    clock.now += MAX_AGE - 1
    assert conversations.of_message(1) is not None
    clock.now += 2
    assert conversations.of_message(1) is None
    assert conversations.latest(CHANNEL) is None


def test_only_so_many_exchanges_are_kept() -> None:
    conversations = Conversations()
    for message in range(MAX_ANSWERS + 10):
        remember(conversations, message, user=message)
    assert conversations.of_message(0) is None
    assert question(conversations.of_message(MAX_ANSWERS + 9)) == str(MAX_ANSWERS + 9)
