"""The bot's own words, in the languages that it speaks; articles are never translated.

Each language is a TOML file beside this module (`texts/en.toml`), a text a key, with `{names}` for what is
put in. What is put in has to be escaped by whoever puts it in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

__all__ = ["AUTO", "DEFAULT", "Words", "languages", "words_in"]

AUTO = "auto"
"""The language setting that follows what the asker or the server has set in Discord."""

DEFAULT = "en"


class Words:
    """The texts of one language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with the values put in.

        Raises:
            KeyError: there is no such text, or it names a value that is not given.
        """
        return self.texts[key].format(**values)

    def ordinal(self, number: int) -> str:
        """Return the place in a line, as "5th"."""
        last = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return self("ordinal", number=number, ending=last)


@cache
def languages() -> tuple[str, ...]:
    """Return the ISO 639 codes of the languages, the default one first."""
    names = (file.name for file in resources.files(__package__).joinpath("texts").iterdir())
    codes = sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return (DEFAULT, *(code for code in codes if code != DEFAULT))


@cache
def _read(language: str) -> Words:
    text = resources.files(__package__).joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, tomllib.loads(text))


def words_in(setting: str, locale: str | None = None) -> Words:
    """Return the words for a language setting; with "auto", for Discord's locale ("es-ES", "de")."""
    wanted = locale if setting == AUTO else setting
    code = (wanted or DEFAULT).lower().split("-")[0]
    return _read(code if code in languages() else DEFAULT)
