"""The bot's own texts in every language that it speaks; articles are never translated.

`texts/en.toml` and its siblings hold a text for each key, with `{names}` for values. Callers escape the
values as their platform needs. The table `[commands]` translates the English descriptions of commands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.answering.answer import Answer

__all__ = ["AUTO", "DEFAULT", "Messages", "Notice", "languages", "messages_in"]

AUTO = "auto"
"""The language setting that follows the locale of the asker or the server."""

DEFAULT = "en"
"""The language for unknown locales, and for what everybody sees alike."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A titled message in the bot's own words: a refusal, an apology, a confirmation."""

    title: str
    text: str = ""
    fault: bool = False
    """Whether something failed, so that a surface can show it differently."""


class Messages:
    """The texts of one language."""

    def __init__(self, language: str, texts: Mapping[str, Any]) -> None:
        self.language = language
        self.texts: dict[str, str] = {key: text for key, text in texts.items() if isinstance(text, str)}
        self.languages: Mapping[str, str] = texts.get("languages", {})
        """The names of languages by their codes."""
        self.commands: Mapping[str, str] = texts.get("commands", {})
        """Descriptions of commands by their English; empty for English itself."""

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key with the values filled in.

        Raises:
            KeyError: there is no such text, or it names a value that is not given.
        """
        return self.texts[key].format(**values)

    def notice(self, key: str, *, fault: bool = False, **values: object) -> Notice:
        """Return the notice with the text `key` as its title and `key`_text as its body."""
        return Notice(self(key), self(f"{key}_text", **values), fault)

    def remark(self, answer: Answer, catalogue: str) -> str:
        """Return the bot's remark on an answer, or ""; `catalogue` is the command that shows all articles."""
        asked, written = answer.languages or (self.language, "")
        messages = messages_in(asked)
        text = messages.texts.get(f"{answer.remark}_text", messages.texts.get(answer.remark, ""))
        return text.format(catalogue=catalogue, language=messages.languages.get(written))


@cache
def languages() -> tuple[str, ...]:
    """Return the ISO 639 codes of the languages, the default one first."""
    names = (file.name for file in resources.files(__package__).joinpath("texts").iterdir())
    codes = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return (DEFAULT, *(code for code in codes if code != DEFAULT))


@cache
def _read(language: str) -> Messages:
    file = resources.files(__package__).joinpath("texts", f"{language}.toml")
    return Messages(language, tomllib.loads(file.read_text(encoding="utf-8")))


def messages_in(setting: str, locale: str | None = None) -> Messages:
    """Return the texts for a language setting; "auto" takes the locale ("es-ES", "de"), else English."""
    wanted = locale if setting == AUTO else setting
    code = (wanted or DEFAULT).lower().split("-")[0]
    return _read(code if code in languages() else DEFAULT)
