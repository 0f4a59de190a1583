"""The bot without a platform: refusals, rate limits, answers, and what is kept for follow-ups and gaps."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import TTLCache

from bot.answering.answer import Verdict
from bot.answering.followups import Earlier
from bot.answering.remarks import is_small_talk, remark_on
from bot.chat.logs import Way, log_answer
from bot.chat.messages import Messages, Notice, messages_in
from bot.chat.metrics import Metrics
from bot.chat.tasks import Tasks
from bot.records.settings import AnswersTo, ChannelSettings
from bot.records.store import Records
from index.errors import BusyError, DamagedIndexError, FootnoteError

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.records.gaps import Gap
    from bot.service.job_queue import QueuePosition
    from bot.service.service import Service
    from bot.settings import BotSettings
    from index.storage.store import ArticleSummary

__all__ = [
    "MAX_AGE",
    "MAX_ANSWERS",
    "Assistant",
    "Conversations",
    "Exchange",
    "Place",
    "Question",
    "RateLimiter",
    "log_failure",
    "queue_notice",
]

MAX_ANSWERS = 2000
"""Answers that are remembered, the most recently used ones."""

MAX_AGE = 2 * 3600.0
"""Seconds for which an answer is remembered."""

_MINUTE = 60.0
_SERVER_SHARE = 10  # users at their limit whom a server holds before it is limited itself
_SHORTEST_NOTICE = 1.0  # seconds of waiting below which nobody is told their position in the queue
_BUSY_PAUSE = 5.0
_log = logging.getLogger(__name__)


class RateLimiter:
    """Token buckets of a minute's questions, one a user and, ten times as large, one a server.

    A bucket is kept as the time at which it is full again (generic cell rate algorithm, ITU-T I.371).
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the questions a minute of one user, 0 for no limit, and a clock in seconds."""
        self._per_minute, self._clock = per_minute, clock
        self._full_at: TTLCache[tuple[int, int], float] = TTLCache(1 << 16, _MINUTE, clock)

    def take(self, user: int, server: int | None) -> float:
        """Count a question and return 0.0; above the limit, return the seconds to wait, and count nothing."""
        if not self._per_minute:
            return 0.0
        now, taken = self._clock(), {}
        for share, holder in ((1, user), (_SERVER_SHARE, server)):
            if holder is not None:
                full_at = max(self._full_at.get((share, holder), now), now)
                taken[share, holder] = full_at + _MINUTE / (share * self._per_minute)
        wait = max(taken.values()) - now - _MINUTE
        if wait > 1e-6:
            return wait
        self._full_at.update(taken)
        return 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Who asks and where, the settings that apply there, and the texts in its language.

    `server` is None in direct messages, and in servers that the bot is no member of.
    """

    user: int
    server: int | None
    channel: int
    settings: ChannelSettings
    messages: Messages


@dataclass(frozen=True, slots=True)
class Question:
    """A question, how and where it was asked, and what it may build on.

    `article` is the only one to answer from. `private` is whether only the asker sees the answer.
    """

    text: str
    place: Place
    way: Way
    article: ArticleSummary | None = None
    earlier: Earlier | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question as it was asked, the context that it was asked in, and that of its follow-up."""

    question: str
    before: Earlier | None
    after: Earlier


class Conversations:
    """Recent exchanges by the message that holds the answer, and the latest ones by channel and person."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_message: TTLCache[int, Exchange] = TTLCache(MAX_ANSWERS, MAX_AGE, clock)
        self._latest: TTLCache[tuple[int, int | None, bool], Exchange] = TTLCache(
            3 * MAX_ANSWERS, MAX_AGE, clock
        )
        self.passed_on: TTLCache[int, bool] = TTLCache(MAX_ANSWERS, MAX_AGE, clock)
        """Messages whose question was passed on to helpers, so that it happens once."""

    def remember(self, exchange: Exchange, *, message: int, channel: int, user: int, private: bool) -> None:
        """Keep an exchange. A public question never builds on a `private` one, which only the asker saw."""
        self._by_message[message] = exchange
        self._latest[channel, user, True] = exchange
        if not private:
            self._latest[channel, user, False] = self._latest[channel, None, False] = exchange

    def of_message(self, message: int) -> Exchange | None:
        """Return the exchange whose answer this message holds."""
        return self._by_message.get(message)

    def latest(self, channel: int, user: int | None = None, *, private: bool = False) -> Exchange | None:
        """Return the latest exchange in a channel, or of one user there; with `private`, of any kind."""
        return self._latest.get((channel, user, private))


def queue_notice(messages: Messages, waiting: QueuePosition) -> Notice | None:
    """Return the notice on a position in the queue; None for a wait too short to mention."""
    if waiting.seconds < _SHORTEST_NOTICE:
        return None
    seconds = math.ceil(waiting.seconds)
    return Notice(messages("waiting", position=waiting.position), messages("waiting_text", seconds=seconds))


class Assistant:
    """Answers for a surface, which renders what it returns. Used on the event loop only."""

    def __init__(self, settings: BotSettings, service: Service) -> None:
        """Take the settings and a started service; the surface opens and closes `records`."""
        self.settings, self.service = settings, service
        self.recording = settings.recording
        self.records = Records(settings.records, days=settings.record_days)
        self.metrics, self.tasks, self.conversations = Metrics(), Tasks(), Conversations()
        self._limits = RateLimiter(settings.discord_user_rate)

    async def place(
        self, user: int, server: int | None, channel: int, *, parent: int | None, locale: str | None
    ) -> Place:
        """Return the place of a request; a thread takes the settings of its channel, `parent`."""
        settings = await self.records.settings(server, channel, parent)
        return Place(user, server, channel, settings, messages_in(settings.language, locale))

    def refusal(self, place: Place, question: str | None = None) -> Notice | None:
        """Return why a request cannot be served now, or None, which counts against the rate limit."""
        messages = place.messages
        if self.tasks.stopping:
            return messages.notice("stopping")
        if place.settings.answers is AnswersTo.NEVER:
            return messages.notice("never_here")
        if question is not None and is_small_talk(question):
            return messages.notice(remark_on(question))
        if (seconds := self._limits.take(place.user, place.server)) > 0:
            self.metrics.refused["rate-limited"].inc()
            return messages.notice("slow_down", seconds=math.ceil(seconds))
        return None

    async def ask(self, question: Question, waiting: Callable[[QueuePosition], None] | None = None) -> Answer:
        """Return the answer, counted and logged; `waiting` is called once if others come first.

        Raises:
            BusyError: too many questions are waiting.
            DamagedIndexError: no generation of the index is whole.
        """
        place, article, started = question.place, question.article, time.perf_counter()
        answer = await self.service.ask(
            question.text, article=article.id if article else None, earlier=question.earlier, waiting=waiting
        )
        seconds = time.perf_counter() - started
        self.metrics.questions[question.way, answer.verdict].inc()
        self.metrics.seconds.observe(seconds)
        waited = max(1000 * seconds - answer.elapsed_ms, 0.0)
        where = {"server": place.server, "channel": place.channel}
        log_answer(answer, self.settings, way=question.way, waited_ms=waited, **where)
        return answer

    async def remember(self, question: Question, answer: Answer, message: int) -> None:
        """Keep a question for follow-ups to the answer in `message`; record it as a gap if not answered."""
        place, exchange = question.place, Exchange(question.text, question.earlier, Earlier.of(answer))
        self.conversations.remember(
            exchange, message=message, channel=place.channel, user=place.user, private=question.private
        )
        if answer.verdict is Verdict.ANSWERED or answer.remark == "only_quotes" or not self.recording:
            return
        text = f"{question.text} ({answer.read_as})" if answer.read_as else question.text
        try:
            await self.records.add_gap(
                server=place.server,
                channel=0 if question.private else place.channel,  # no channel hears of a private question
                user=place.user,
                question=text,
                verdict=str(answer.verdict),
                confidence=answer.confidence,
                vector=await self.service.vector(text),
            )
        except Exception as error:  # noqa: BLE001 - the answer is out; this is only for moderators
            log_failure("An unanswered question could not be recorded.", error)

    async def exchange(self, message: int, read: Callable[[], Awaitable[str]]) -> Exchange | None:
        """Return what is answered in `message`; once that is forgotten, `read` gets the question or ""."""
        if (remembered := self.conversations.of_message(message)) is not None:
            return remembered
        question = await read()
        return Exchange(question, None, Earlier(question)) if question else None

    def apology(self, messages: Messages, error: BaseException, *, ours: bool = True) -> Notice:
        """Count and log a failure, and return the notice for the asker.

        `ours` is False where the platform failed, which is logged in one line instead of a traceback.
        """
        if isinstance(error, BusyError):
            self.metrics.refused["busy"].inc()
            if error.seconds is None:
                return Notice(messages("busy"), messages("busy_soon"))
            return messages.notice("busy", seconds=math.ceil(error.seconds))
        if isinstance(error, DamagedIndexError):  # logged when it was found
            self.metrics.refused["damaged"].inc()
            return messages.notice("damaged", fault=True)
        self.metrics.errors.inc()
        log_failure("A request failed.", error, ours=ours)
        return messages.notice("fault" if ours else "not_taken", fault=True)

    async def ask_gaps_again(self, generation: str, tell: Callable[[Gap, Answer], Awaitable[None]]) -> None:
        """Ask all open gaps of a new generation, mark those that it answers, and `tell` of each.

        Ends when another generation takes over, whose own run starts anew. People's questions come first:
        while the queue is full, this waits.
        """
        for gap in await self.records.every_open_gap():
            try:
                answer = await self._ask_patiently(gap.question)
            except DamagedIndexError:
                return
            except Exception as error:  # noqa: BLE001 - one question must not take the others along
                log_failure(f"Open question {gap.id} could not be asked again.", error)
                continue
            if (await self.service.status()).generation != generation:
                return
            still_open = {(other.id, other.question) for other in await self.records.every_open_gap()}
            if answer.verdict is Verdict.ANSWERED and (gap.id, gap.question) in still_open:
                await self.records.mark_answered(gap.id, generation)
                _log.info("Generation %s answers open question %s.", generation, gap.id)
                await tell(gap, answer)

    async def _ask_patiently(self, question: str) -> Answer:
        while True:
            try:
                return await self.service.ask(question)
            except BusyError as error:
                await asyncio.sleep(error.seconds or _BUSY_PAUSE)


def log_failure(what: str, error: BaseException | None, *, ours: bool = True) -> None:
    """Log a failure: a fault of ours with its traceback, all that explains itself in one line."""
    if not ours:
        _log.warning("%s %s", what, str(error) or type(error).__name__)
    elif isinstance(error, FootnoteError):
        _log.error("%s %s", what, error)
    else:
        _log.error(what, exc_info=error)
