"""`python -m tests.wire [MESSAGE ...]`: a loopback Discord to try `footnote discord` against by hand.

Run what it prints in another terminal. Each message is sent to the bot as a mention, and what the bot posts is
printed, until Ctrl-C. Without messages, one is read per line from standard input.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from tests.wire.driver import Wire


async def main() -> None:
    """Serve until there is nothing left to ask, or Ctrl-C."""
    async with Wire("loopback-token") as wire:
        guild, user = await wire.server("ann")
        print(f"FOOTNOTE_DISCORD_API_URL={wire.url} FOOTNOTE_DISCORD_TOKEN={wire.token} footnote discord")
        await wire.log.until(lambda: wire.gateway.connected, "the bot", within=3600)
        for line in sys.argv[1:] or iter(lambda: sys.stdin.readline(), ""):
            text = f"{wire.world.bot.mention} {line.strip()}"
            reply = await wire.reply(await wire.say(user, guild, text), within=60)
            print(f"\n{line.strip()}\n{reply.title}\n{reply.text}\n{reply.fields}", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
