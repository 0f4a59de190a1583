"""The services of all collections, which share an encoder and a reader in memory where these are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bot.service.service import Service
from index.collections import read_collections, refuse_shared_folders
from index.errors import FootnoteError

if TYPE_CHECKING:
    from bot.settings import BotSettings

__all__ = ["Services"]


class Services(Mapping[str, Service]):
    """A service for each collection by its name; first the default one, whose name may be ""."""

    def __init__(self, settings: BotSettings, default: Service | None = None) -> None:
        """Take the settings, whose collection is the default one, and list the others; nothing is opened.

        Raises:
            SettingsError: the list of collections cannot be read, or two indexes are in one folder.
        """
        self.settings = settings
        self.default = default or Service(settings)
        listed = read_collections(settings.collections)
        # What is listed for the default one holds for no other.
        own = listed.pop(settings.collection, {}).keys() & {"base_url", "language"}
        unset = {key: type(settings).model_fields[key].default for key in own}
        self._services = {settings.collection: self.default}
        for name, values in listed.items():
            self._services[name] = Service(settings.of_collection({**unset, **values}))
        indexes = {name: service.settings.index for name, service in self._services.items()}
        refuse_shared_folders(settings.collections, indexes)

    def __getitem__(self, name: str) -> Service:
        return self._services[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)

    async def start(self) -> None:
        """Open every index; raises as `Service.start` does, and names the collection."""
        for name, service in self._services.items():
            try:
                await service.start(None if service is self.default else self.default)
            except FootnoteError as error:
                if not name:
                    raise
                advice = str(error).replace("`footnote ", f"`footnote --collection {name} ")
                error.args = (f"collection {name}: {advice}",)
                raise

    async def close(self) -> None:
        """Close every service."""
        await asyncio.gather(*(service.close() for service in self._services.values()))
