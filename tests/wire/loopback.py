"""The loopback Discord as a test uses it: start, people and places, commands typed, messages said."""

from __future__ import annotations

import json
import re
from typing import Any, Self

from aiohttp import web

from tests.wire.channels import Channels
from tests.wire.gateway import Gateway
from tests.wire.interactions import Interaction, Interactions
from tests.wire.records import Fault, Json, Log, RefusedError, Request
from tests.wire.schema import leaf_options
from tests.wire.world import Channel, Guild, User, World

__all__ = ["LoopbackDiscord"]

_BASE = "/api/v10"
_WITHOUT_AUTH = re.compile(r"^/(gateway$|interactions/|webhooks/\d+/)")
_SOCKET = "/socket"


class LoopbackDiscord:
    """A Discord of one's own on 127.0.0.1; everything that the client gets wrong is in `log.violations`."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.world = World()
        self.log = Log()
        self.gateway = Gateway(self.world, self.log, token)
        self.channels = Channels(self.world, self.log, self.gateway)
        self.interactions = Interactions(self.world, self.log, self.gateway, self.channels)
        self.url = ""
        self.gateway_url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        api = web.Application(middlewares=[self._answer])
        api.add_routes([*self.channels.routes(), *self.interactions.routes()])
        api.add_routes([web.get("/gateway", self._where), web.get("/gateway/bot", self._where_bot)])
        app = web.Application()
        app.add_subapp(_BASE, api)
        app.add_routes([web.get(_SOCKET, self.gateway.handle)])
        self._runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url, self.gateway_url = f"http://{host}:{port}{_BASE}", f"ws://{host}:{port}{_SOCKET}"
        self.gateway.resume_url = self.gateway_url
        return self

    async def __aexit__(self, *_: object) -> None:
        self.interactions.stop()
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    # The HTTP API's common part

    @web.middleware
    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Check, record and answer a request; a handler returns the JSON, None for 204, or raises."""
        path = request.path.removeprefix(_BASE)
        status, body, kind = 500, b"", "application/json"
        headers: dict[str, str] = {}
        try:
            for fault in self.log.faults:
                if fault.takes(request.method, path):
                    status, body, headers, kind = await self._planned(fault)
                    break
            else:
                await self._check(request, path)
                found = await handler(request)
                status, body = (204, b"") if found is None else (200, json.dumps(found).encode())
        except RefusedError as refused:
            status, body = refused.status, json.dumps(refused.body).encode()
            if refused.violation:
                self.log.violations.append(f"{request.method} {path} -> {status} {refused.body}")
        except web.HTTPNotFound:
            status, body = 404, b'{"message": "404: Not Found", "code": 0}'
            self.log.violations.append(f"{request.method} {path}: no such route")
        finally:
            await self._record(request, path, status)
        return web.Response(status=status, body=body, headers=headers, content_type=kind if body else None)

    async def _planned(self, fault: Fault) -> tuple[int, bytes, dict[str, str], str]:
        if fault.delay:
            await self.log.sleep(fault.delay)
        return fault.status, fault.body, fault.headers, fault.content_type

    async def _record(self, request: web.Request, path: str, status: int) -> None:
        text = await request.text()
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text
        kept = {key: value for key, value in request.headers.items() if key.lower() != "authorization"}
        self.log.requests.append(Request(request.method, path, body, kept, self.log.now(), status))
        await self.log.changed()

    async def _check(self, request: web.Request, path: str) -> None:
        if not request.headers.get("User-Agent", "").startswith("DiscordBot (") and not path.startswith(
            ("/webhooks/", "/interactions/")
        ):
            raise RefusedError(403, 0, "A bot says who it is in User-Agent: DiscordBot (url, version)")
        if not _WITHOUT_AUTH.match(path) and request.headers.get("Authorization") != f"Bot {self.token}":
            raise RefusedError(401, 0, "401: Unauthorized", violation=False)
        if not request.can_read_body:
            return
        if request.content_type != "application/json":
            raise RefusedError(400, 50035, "Expected the Content-Type header application/json.")
        try:
            json.dumps(await request.json(), ensure_ascii=False).encode()
        except ValueError:  # no JSON, or text that is no Unicode (a lone surrogate)
            raise RefusedError(400, 50109, "The request body contains invalid JSON.") from None

    async def _where(self, _: web.Request) -> Any:
        return {"url": self.gateway_url}

    async def _where_bot(self, _: web.Request) -> Any:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    def fault(self, method: str, path: str, **answer: Any) -> None:
        """Plan an answer in place of the real one (see `Fault`), once unless `times` says more."""
        self.log.faults.append(Fault(method, path, **answer))

    # What people do

    async def connected(self, within: float = 5.0) -> None:
        """Wait until the bot is identified on the gateway."""
        await self.log.until(lambda: self.gateway.connected, "the bot on the gateway", within)

    async def slash(
        self, command: str, user: User, channel: Channel | Guild | None = None, **options: Any
    ) -> Interaction:
        """Use a command ("index rebuild" for a sub-command) in a channel, a server or by direct message."""
        where = channel.channels[0] if isinstance(channel, Guild) else channel or self.world.dm(user)
        name, *path = command.split()
        registered = next((one for one in self.interactions.commands if one["name"] == name), None)
        assert registered is not None, f"/{name} is not registered"
        contexts = registered.get("contexts") or [0, 1, 2]
        assert (0 if where.guild else 1) in contexts, f"/{name} is not offered there"
        self._check_options(leaf_options(registered, path), options)
        given: list[Json] = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        for depth, part in enumerate(reversed(path)):
            given = [{"name": part, "type": 1 + depth, "options": given}]
        interaction = self.interactions.begin(user, where, command)
        data = {"id": registered["id"], "name": name, "type": 1, "options": given}
        await self.gateway.dispatch("INTERACTION_CREATE", self._event(interaction, where, data))
        return interaction

    def _check_options(self, known: list[Json], options: dict[str, Any]) -> None:
        for option in known:
            value = options.get(option["name"])
            assert value is not None or not option.get("required"), f"{option['name']} is required"
            length = len(value) if isinstance(value, str) else None
            if length is not None:
                assert option.get("min_length", 0) <= length <= option.get("max_length", 6000), (
                    "refused by Discord"
                )

    def _event(self, interaction: Interaction, where: Channel, data: Json) -> Json:
        guild = where.guild
        event: Json = {
            "id": str(interaction.id), "application_id": str(self.world.application_id), "type": 2,
            "data": data, "version": 1, "token": interaction.token, "locale": "en-US", "entitlements": [],
            "channel": where.payload(),
            "channel_id": str(where.id), "app_permissions": "2147568640", "context": 0 if guild else 1,
            "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
        }  # fmt: skip
        if guild is None:
            return event | {"user": interaction.user.payload()}
        member = guild.member(interaction.user, full=True)
        about = {"id": str(guild.id), "locale": "en-US", "features": []}
        return event | {"guild_id": str(guild.id), "guild_locale": "en-US", "guild": about, "member": member}

    async def say(
        self, channel: Channel | Guild, user: User, content: str, reply_to: Json | None = None, **more: Any
    ) -> Json:
        """Say something; the author of the message replied to is mentioned, as Discord does by default."""
        where = channel.channels[0] if isinstance(channel, Guild) else channel
        message = self.channels.build(where, user, {"content": content})
        if reply_to is not None:
            message["mentions"].append(reply_to["author"])
            reference = {"message_id": reply_to["id"], "channel_id": reply_to["channel_id"]}
            message |= {"type": 19, "message_reference": reference, "referenced_message": reply_to}
        message |= more
        await self.channels.announce(message)
        return message

    async def response_to(self, interaction: Interaction, within: float = 3.0) -> Json:
        """Wait for the finished response to a command."""
        found = await self.log.until(
            lambda: interaction.shown, f"an answer to /{interaction.command}", within
        )
        assert found is not None
        return found

    def said(self, channel: Channel | Guild) -> list[Json]:
        """Return the bot's own channel messages there, oldest first."""
        where = channel.channels[0] if isinstance(channel, Guild) else channel
        mine = [
            one for one in self.channels.messages.values() if one["author"]["id"] == str(self.world.bot.id)
        ]
        return [one for one in mine if one["channel_id"] == str(where.id) and "webhook_id" not in one]

    async def reply_to(self, message: Json, within: float = 3.0) -> Json:
        """Wait for the bot's reply to a message."""

        def look() -> Json | None:
            for one in self.channels.messages.values():
                if one.get("message_reference", {}).get("message_id") == message["id"]:
                    return one
            return None

        found = await self.log.until(look, "a reply", within)
        assert found is not None
        return found
