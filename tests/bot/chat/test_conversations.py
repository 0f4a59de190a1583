"""Recent exchanges: found by message, channel and person, for two hours, and never too many."""

from __future__ import annotations

from bot.answering.followups import Earlier
from bot.chat.conversations import MAX_AGE, MAX_ANSWERS, Conversations, Exchange

CHANNEL, ANN, BOB = 10, 1, 2


def exchange(question: str) -> Exchange:
    return Exchange(question, None, None, Earlier(question))


def remember(conversations: Conversations, message: int, user: int = ANN, *, private: bool = False) -> None:
    conversations.remember(
        exchange(f"{message}"), message=message, channel=CHANNEL, user=user, private=private
    )


def question(found: Exchange | None) -> str | None:
    return found.question if found else None


def test_the_latest_exchange_is_found_by_channel_and_by_person() -> None:
    conversations = Conversations()
    remember(conversations, 1)
    remember(conversations, 2, BOB)
    assert question(conversations.of_message(1)) == "1"
    assert question(conversations.latest(CHANNEL)) == "2"
    assert question(conversations.latest(CHANNEL, ANN)) == "1"
    assert conversations.latest(CHANNEL + 1) is None


def test_a_public_question_never_builds_on_a_private_one() -> None:
    conversations = Conversations()
    remember(conversations, 1)
    remember(conversations, 2, private=True)
    assert question(conversations.latest(CHANNEL, ANN)) == "1"
    assert question(conversations.latest(CHANNEL)) == "1"
    assert question(conversations.latest(CHANNEL, ANN, private=True)) == "2"
    remember(conversations, 3)
    assert question(conversations.latest(CHANNEL, ANN, private=True)) == "3"


def test_exchanges_are_forgotten_after_two_hours() -> None:
    now = [0.0]
    conversations = Conversations(lambda: now[0])
    remember(conversations, 1)
    now[0] = MAX_AGE - 1
    assert conversations.of_message(1) is not None
    now[0] = MAX_AGE + 1
    assert conversations.of_message(1) is None
    assert conversations.latest(CHANNEL) is None


def test_only_so_many_exchanges_are_kept() -> None:
    conversations = Conversations()
    for message in range(MAX_ANSWERS + 10):
        remember(conversations, message, user=message)
    assert conversations.of_message(0) is None
    assert question(conversations.of_message(MAX_ANSWERS + 9)) == str(MAX_ANSWERS + 9)
