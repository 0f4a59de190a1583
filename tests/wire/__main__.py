"""`python -m tests.wire`: a loopback Discord on which to try `footnote discord` by hand.

It prints the command to run in another terminal. Then each line that is typed here is sent to the bot as a
mention, and its reply is printed; the end of the input or Ctrl-C stops the server.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from tests.wire.driver import Wire


async def main() -> None:
    """Serve until the end of the input."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with Wire("loopback-token") as wire:
        guild, user = await wire.server("ann")
        sys.stdout.write(f"FOOTNOTE_DISCORD_API_URL={wire.url} FOOTNOTE_DISCORD_TOKEN={wire.token} ")
        sys.stdout.write("footnote discord\n")
        await wire.log.until(lambda: wire.gateway.connected, "the bot", within=3600)
        while line := (await lines.readline()).decode():
            question = await wire.say(user, guild, f"{wire.world.bot.mention} {line}")
            reply = await wire.reply(question, within=60)
            parts = [reply.title, reply.text, *reply.fields.values()]
            sys.stdout.write("\n".join([*parts, "", ""]))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
