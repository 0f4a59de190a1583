"""The bot without a platform: refusals, rate limits, answers, and what is kept for follow-ups and gaps."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answering.answer import Verdict
from bot.answering.followups import Earlier
from bot.answering.remarks import is_small_talk, remark_on
from bot.chat.conversations import Conversations, Exchange, RateLimiter
from bot.chat.logs import Way, log_answer
from bot.chat.messages import Messages, Notice, messages_in
from bot.chat.metrics import Metrics
from bot.chat.tasks import Tasks
from bot.errors import NoCollectionError
from bot.records.settings import AnswersTo, ChannelSettings
from bot.records.store import Records
from index.collections import collection_key
from index.errors import BusyError, DamagedIndexError, FootnoteError

if TYPE_CHECKING:
    from bot.answering.answer import Answer
    from bot.records.gaps import Gap
    from bot.service.job_queue import QueuePosition
    from bot.service.service import Service
    from bot.settings import BotSettings
    from index.storage.store import ArticleSummary

__all__ = ["Assistant", "Place", "Question", "log_failure", "queue_notice"]

_SHORTEST_NOTICE = 1.0  # seconds of waiting below which nobody is told their position in the queue
_BUSY_PAUSE = 5.0
_PRUNE_EVERY = 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Who asks and where, the settings that apply there, and the texts in its language.

    `server` is None in direct messages, in servers that the bot is no member of, and outside Discord.
    `collection` is the name of what is asked there.
    """

    user: int
    server: int | None
    channel: int
    settings: ChannelSettings
    messages: Messages
    collection: str = ""


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


def queue_notice(messages: Messages, waiting: QueuePosition) -> Notice | None:
    """Return the notice on a position in the queue; None for a wait too short to mention."""
    if waiting.seconds < _SHORTEST_NOTICE:
        return None
    seconds = math.ceil(waiting.seconds)
    return Notice(messages("waiting", position=waiting.position), messages("waiting_text", seconds=seconds))


class Assistant:
    """Answers for a surface, which renders what it returns. Used on the event loop only."""

    def __init__(
        self, settings: BotSettings, services: Mapping[str, Service], plain: Callable[[str], str] = str
    ) -> None:
        """Take settings and started services, by collection; the surface opens and closes `records`.

        `plain` takes the platform's markup out of a question, for the search; it is shown as it was typed.
        """
        self.settings, self.services, self.plain = settings, services, plain
        self.recording = settings.recording
        self.records = Records(settings.records, days=settings.record_days)
        self.metrics, self.tasks, self.conversations = Metrics(), Tasks(), Conversations()
        self._limits = RateLimiter(settings.discord_user_rate)
        self.metrics.watch("queue_length", lambda: sum(one.stats.waiting for one in services.values()))
        self.metrics.watch("damaged", lambda: any(service.damage for service in services.values()))

    async def place(
        self, user: int, server: int | None, channel: int, *, parent: int | None, locale: str | None
    ) -> Place:
        """Return the place of a request; a thread takes the settings of its channel, `parent`."""
        settings = await self.records.settings(server, channel, parent)
        messages = messages_in(settings.language, locale)
        collection = settings.collection or self.settings.collection
        return Place(user, server, channel, settings, messages, collection)

    @property
    def service(self) -> Service:
        """The service of the default collection."""
        return self.services[self.settings.collection]

    def collection_of(self, key: str, bound: str) -> str:
        """Return the collection with a key: the `bound` one, another that is listed, or else "?"."""
        return next((name for name in (bound, *self.services) if collection_key(name) == key), "?")

    def pages(self, place: Place) -> tuple[str, str, str]:
        """Return where the articles' pages are, "" for nowhere; a place's collection; and the default one."""
        return self.settings.web_url, place.collection, self.settings.collection

    def service_of(self, collection: str) -> Service:
        """Return the service of a collection; raise NoCollectionError where it is no longer listed."""
        try:
            return self.services[collection]
        except KeyError:
            raise NoCollectionError(collection) from None

    def missing(self) -> list[str]:
        """Return what keeps questions from being answered, for /readyz."""
        damages = {name: service.damage for name, service in self.services.items()}
        unserved = [name for name, damage in damages.items() if damage and not damage.serving]
        intact = [f"an intact generation of the index{f' ({name})' if name else ''}" for name in unserved]
        return (["Footnote is stopping"] if self.tasks.stopping else []) + intact

    def notes(self) -> list[str]:
        """Return what is wrong with the indexes, also of those that still serve."""
        return [str(service.damage) for service in self.services.values() if service.damage]

    async def prune(self) -> None:
        """Delete, every hour, what has been stored for FOOTNOTE_RECORD_DAYS; never returns."""
        while True:
            await asyncio.sleep(_PRUNE_EVERY)
            try:
                await self.records.prune()
            except FootnoteError as error:  # busy or full; the next time will do
                log_failure("Old records could not be deleted.", error)

    def refusal(self, place: Place, question: str | None = None) -> Notice | None:
        """Return why a request cannot be served now, or None, which counts against the rate limit."""
        messages = place.messages
        if self.tasks.stopping:
            return messages.notice("stopping")
        if place.settings.answers is AnswersTo.NEVER:
            return messages.notice("never_here")
        if question is not None and is_small_talk(self.plain(question)):
            return messages.notice(remark_on(self.plain(question)))
        if seconds := self.seconds_to_wait(place):
            return messages.notice("slow_down", seconds=seconds)
        return None

    def seconds_to_wait(self, place: Place) -> int:
        """Count a request against the rate limit and return 0; above it, return the seconds to wait."""
        seconds = self._limits.take(place.user, place.server)
        if seconds > 0:
            self.metrics.refused["rate-limited"].inc()
        return math.ceil(seconds)

    async def ask(self, question: Question, waiting: Callable[[QueuePosition], None] | None = None) -> Answer:
        """Return the answer, counted and logged; `waiting` is called once if others come first.

        Raises:
            BusyError: too many questions are waiting.
            DamagedIndexError: no generation of the index is whole.
        """
        place, article, started = question.place, question.article, time.perf_counter()
        answer = await self.service_of(place.collection).ask(
            self.plain(question.text),
            article=article.id if article else None,
            earlier=question.earlier,
            waiting=waiting,
        )
        seconds = time.perf_counter() - started
        self.metrics.questions[question.way, answer.verdict].inc()
        self.metrics.seconds.observe(seconds)
        waited = max(1000 * seconds - answer.elapsed_ms, 0.0)
        where: dict[str, object] = {"server": place.server, "channel": place.channel}
        where |= {"collection": place.collection} if place.collection else {}
        log_answer(answer, self.settings, way=question.way, waited_ms=waited, **where)
        return answer

    async def remember(self, question: Question, answer: Answer, message: int) -> None:
        """Keep a question for follow-ups to the answer in `message`; record it as a gap if not answered."""
        place = question.place
        exchange = Exchange(question.text, question.earlier, Earlier.of(answer), place.collection)
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
                vector=await self.service_of(place.collection).vector(self.plain(text)),
                collection=place.collection,
            )
        except Exception as error:  # noqa: BLE001 - the answer is out; this is only for moderators
            log_failure("An unanswered question could not be recorded.", error)

    def apology(self, messages: Messages, error: BaseException, *, ours: bool = True) -> Notice:
        """Count and log a failure, and return the notice for the asker.

        `ours` is False where the platform failed, which is logged in one line instead of a traceback.
        """
        if isinstance(error, BusyError):
            self.metrics.refused["busy"].inc()
            if error.seconds is None:
                return Notice(messages("busy"), messages("busy_soon"))
            return messages.notice("busy", seconds=math.ceil(error.seconds))
        if isinstance(error, NoCollectionError):
            return messages.notice("no_collection", name=error.name)
        if isinstance(error, DamagedIndexError):  # logged when it was found
            self.metrics.refused["damaged"].inc()
            return messages.notice("damaged", fault=True)
        self.metrics.errors.inc()
        log_failure("A request failed.", error, ours=ours)
        return messages.notice("fault" if ours else "not_taken", fault=True)

    async def ask_gaps_again(
        self, collection: str, generation: str, tell: Callable[[Gap, Answer], Awaitable[None]]
    ) -> None:
        """Ask all open gaps of a collection's new generation, mark those that it answers, and `tell` of each.

        Ends when another generation takes over, whose own run starts anew. People's questions come first:
        while the queue is full, this waits.
        """
        service = self.service_of(collection)
        for gap in await self.records.every_open_gap(collection):
            try:
                answer = await _ask_patiently(service, self.plain(gap.question))
            except DamagedIndexError:
                return
            except Exception as error:  # noqa: BLE001 - one question must not take the others along
                log_failure(f"Open question {gap.id} could not be asked again.", error)
                continue
            if (await service.status()).generation != generation:
                return
            open_now = await self.records.every_open_gap(collection)
            still_open = {(other.id, other.question) for other in open_now}
            if answer.verdict is Verdict.ANSWERED and (gap.id, gap.question) in still_open:
                await self.records.mark_answered(gap.id, generation)
                _log.info("Generation %s answers open question %s.", generation, gap.id)
                await tell(gap, answer)


async def _ask_patiently(service: Service, question: str) -> Answer:
    while True:
        try:
            return await service.ask(question)
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
