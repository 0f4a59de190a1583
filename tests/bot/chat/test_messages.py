"""The bot's texts: every language has every text, with the same values in it."""

from __future__ import annotations

import string

import pytest

from bot.chat.messages import AUTO, DEFAULT, Messages, languages, messages_in

ENGLISH = messages_in(DEFAULT)
OTHERS = languages()[1:]


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text_with_the_same_values(language: str) -> None:
    messages = messages_in(language)
    assert messages.texts.keys() == ENGLISH.texts.keys()
    for key, text in messages.texts.items():
        assert values_in(text) == values_in(ENGLISH.texts[key]), key


@pytest.mark.parametrize(
    ("setting", "locale", "language"),
    [
        (AUTO, "es-ES", "es"),
        (AUTO, "de", "de"),
        (AUTO, "ja", "en"),
        (AUTO, None, "en"),
        ("fr", "de", "fr"),
        ("xx", "de", "en"),
    ],
)
def test_language_is_that_of_the_setting_or_the_locale(
    setting: str, locale: str | None, language: str
) -> None:
    assert messages_in(setting, locale).language == language


def test_a_text_without_its_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Messages("en", {"greeting": "Hello {name}"})("greeting")
