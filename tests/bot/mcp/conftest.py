"""The server of the web's tests, which also serves the protocol here."""

from tests.bot.web.conftest import site

__all__ = ["site"]
