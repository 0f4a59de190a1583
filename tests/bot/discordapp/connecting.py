"""What tests of the connection have in common: clients that do not wait, and a port of one's own."""

from __future__ import annotations

import socket

from bot.discordapp.answering import Answering
from bot.discordapp.client import FootnoteClient
from bot.discordapp.starting import ShardedFootnoteClient
from bot.settings import BotSettings
from tests.wire.records import Json

__all__ = ["Impatient", "ImpatientShards", "free_port", "shown"]


class Impatient(FootnoteClient):
    """A client that does not wait five seconds before it identifies again, as Discord asks real ones to."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        return


class ImpatientShards(Impatient, ShardedFootnoteClient):
    """The same with two connections."""

    def __init__(self, settings: BotSettings, service: Answering) -> None:
        super().__init__(settings, service, shards=2)


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shown(presence: Json) -> str:
    """Return what stands beside the bot's name."""
    (activity,) = presence["activities"]
    return str(activity["state"])
