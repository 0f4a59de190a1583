"""The bot's own words: every language says all that the code asks for, and nothing else."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.discordapp
from bot.answering.answer import Verdict
from bot.chat.words import AUTO, DEFAULT, Words, languages, words_in
from bot.discordapp.escape import units
from bot.records.settings import AnswersTo, ChannelSettings
from index.storage.generations import State

OTHERS = [code for code in languages() if code != DEFAULT]
ENGLISH = words_in(DEFAULT).texts

SAME_AS_ENGLISH = {("de", "settings_channel"), ("es", "no"), ("fr", "articles_title")}
"""Texts that are right as they stand in English."""

LIMITS = {
    r"button_\w+": 80,
    r"(follow_up|reason)_(title|label)": 45,
    "follow_up_hint": 100,
}
"""Discord's, in UTF-16 units: a button's label, a form's title and labels, a label's description."""

TITLE, FOOTER = 256, 2048
"""Discord's, of an embed."""

NEAR = (Verdict.RELATED, Verdict.NOT_FOUND)
FORMED = {
    ("notices", "key"): (),  # `said` itself: its calls are looked at
    ("notices", "f'{key}_text'"): (),
    ("render", "str(verdict)"): tuple(str(one) for one in Verdict),
    ("render", "f'sure_{verdict}'"): tuple(f"sure_{one}" for one in Verdict),
    ("render", "f'nearest_{verdict}'"): tuple(f"nearest_{one}" for one in NEAR),
    ("serversettings", "f'setting_{key}'"): tuple(f"setting_{one.name}" for one in fields(ChannelSettings)),
    ("serversettings", "f'answers_{value}'"): tuple(f"answers_{one}" for one in AnswersTo),
    ("history", "f'state_{one.state}'"): tuple(f"state_{one}" for one in State),
    ("privacy", "title"): ("privacy_questions", "privacy_feedback"),
    ("why", "key"): ("why_value_met", "why_value_missing"),
    ("why", "kind"): ("wanted_number", "wanted_date"),
}
"""What keys come of an expression that is no literal, by its module and its source."""


@dataclass(frozen=True)
class Use:
    """A text that the code asks for, and the values that it gives."""

    place: str
    source: str
    key: str
    given: frozenset[str]


def placeholders(text: str) -> Counter[str]:
    """Return the names in a text; anything but a plain name shows as what it is."""
    return Counter(
        f"{name}{':' if spec else ''}{spec}{'!' if conversion else ''}{conversion or ''}"
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    )


def marks(text: str) -> Counter[str]:
    """Return the marks of Discord's Markdown and the whole of what stands in code."""
    code = re.findall(r"`[^`]*`", text)
    return Counter(code + re.findall(r"\*+|_{2,}|~~|\|\||`|\n|^[->#]+ ", text, re.MULTILINE))


def keys_of(module: str, expression: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield the keys that an expression may be, each with the source of the part that it comes of."""
    if isinstance(expression, ast.IfExp):
        yield from keys_of(module, expression.body)
        yield from keys_of(module, expression.orelse)
        return
    source = ast.unparse(expression)
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield source, expression.value
        return
    assert (module, source) in FORMED, f"Say in FORMED which keys come of {source} in {module}.py."
    yield from ((source, key) for key in FORMED[module, source])


def uses_in(path: Path) -> Iterator[Use]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        place = f"{path.name}:{node.lineno}"
        given = frozenset(one.arg or "**" for one in node.keywords)
        if name in {"words", "_words"} or (path.stem == "words" and name == "self"):
            for source, key in keys_of(path.stem, node.args[0]):
                yield Use(place, source, key, given)
        elif name == "said":
            for source, key in keys_of(path.stem, node.args[1]):
                yield Use(place, source, key, frozenset())
                yield Use(place, source, f"{key}_text", given - {"fault"})


@cache
def uses() -> tuple[Use, ...]:
    folder = Path(next(iter(bot.discordapp.__path__)))
    return tuple(use for path in sorted(folder.glob("*.py")) for use in uses_in(path))


def test_every_text_that_the_code_asks_for_is_there() -> None:
    assert "\n".join(f"{use.place}: {use.key}" for use in uses() if use.key not in ENGLISH) == ""


def test_no_text_is_dead() -> None:
    assert "\n".join(sorted(ENGLISH.keys() - {use.key for use in uses()})) == ""


def test_code_gives_each_text_the_values_that_it_names() -> None:
    wrong = [
        f"{use.place}: {use.key} is given {sorted(use.given)}"
        for use in uses()
        if use.key in ENGLISH and set(use.given) != set(placeholders(ENGLISH[use.key]))
    ]
    assert wrong == []


def test_uses_are_found_in_all_their_forms() -> None:
    """So that the tests above are not empty: a literal, a choice, a formed key, a notice, a method's."""
    found = {use.key for use in uses()}
    assert {"button_why", "gaps_title", "sure_related", "stopping_text", "ordinal"} <= found
    met = {(use.place.partition(".")[0], use.source) for use in uses()}
    assert {one for one, keys in FORMED.items() if keys} <= met


@pytest.mark.parametrize("language", OTHERS)
def test_language_has_the_texts_of_english_and_no_others(language: str) -> None:
    texts = words_in(language).texts
    assert sorted(ENGLISH.keys() ^ texts.keys()) == []
    assert list(texts) == list(ENGLISH)  # in the same order, so that the files can be read side by side


@pytest.mark.parametrize("language", OTHERS)
def test_each_text_puts_in_what_english_puts_in(language: str) -> None:
    for key, text in words_in(language).texts.items():
        names, wanted = placeholders(text), placeholders(ENGLISH[key])
        if key == "ordinal":  # the ending is English
            assert set(names) <= set(wanted)
            assert "number" in names
        else:
            assert names == wanted, key


@pytest.mark.parametrize("language", OTHERS)
def test_markdown_and_commands_are_those_of_english(language: str) -> None:
    for key, text in words_in(language).texts.items():
        assert marks(text) == marks(ENGLISH[key]), key


@pytest.mark.parametrize("language", languages())
def test_markdown_that_opens_closes(language: str) -> None:
    for key, text in words_in(language).texts.items():
        for mark in ("**", "__", "~~", "||", "`"):
            assert text.count(mark) % 2 == 0, key
        assert "[" not in text, key  # links are made in one place, from escaped parts


@pytest.mark.parametrize("language", languages())
def test_labels_keep_to_their_limits(language: str) -> None:
    texts = words_in(language).texts
    for pattern, limit in LIMITS.items():
        limited = {key: text for key, text in texts.items() if re.fullmatch(pattern, key)}
        assert limited, pattern
        assert {key: text for key, text in limited.items() if units(text) > limit} == {}
    titles = [text for key, text in texts.items() if f"{key}_text" in texts]
    assert max(map(units, titles)) < TITLE / 2  # half, for what is put in
    assert max(map(units, texts.values())) < FOOTER / 2


@pytest.mark.parametrize("language", languages())
def test_no_text_is_empty_or_has_loose_spaces(language: str) -> None:
    for key, text in words_in(language).texts.items():
        assert text, key
        assert not re.search(r"^\s|\s$|  |[ \t]\n|\n[ \t]", text), key


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_was_left_in_english(language: str) -> None:
    same = {(language, key) for key, text in words_in(language).texts.items() if text == ENGLISH[key]}
    assert same == {one for one in SAME_AS_ENGLISH if one[0] == language}


def test_role_is_named_first_so_that_it_can_be_left_out() -> None:
    """`passed_on_message` is stripped where no role is pinged."""
    for language in languages():
        assert words_in(language).texts["passed_on_message"].startswith("{mention} {asker} ")


def test_number_of_a_gap_stays_before_its_full_stop() -> None:
    """The code escapes that stop, so that Discord does not make a list of it."""
    for language in languages():
        assert words_in(language).texts["gap_line"].startswith("{number}. ")


def test_french_marks_stand_after_a_no_break_space() -> None:
    for key, text in words_in("fr").texts.items():
        assert not re.search(r"[^\u00a0][:;?!»]|«[^\u00a0]", text), key


@pytest.mark.parametrize(
    ("setting", "locale", "language"),
    [
        (AUTO, "es-ES", "es"),
        (AUTO, "es-419", "es"),
        (AUTO, "de", "de"),
        (AUTO, "fr", "fr"),
        (AUTO, "en-GB", "en"),
        (AUTO, "pt-BR", "en"),
        (AUTO, "est", "en"),
        (AUTO, "", "en"),
        (AUTO, None, "en"),
        ("fr", "de", "fr"),
        ("en", "de", "en"),
        ("de", None, "de"),
        ("xx", "de", "en"),
    ],
)
def test_language_follows_the_setting_then_the_locale(
    setting: str, locale: str | None, language: str
) -> None:
    assert words_in(setting, locale).language == language


@given(st.text(), st.none() | st.text())
def test_any_setting_and_locale_give_some_words(setting: str, locale: str | None) -> None:
    assert words_in(setting, locale).language in languages()
    assert words_in(AUTO, locale).language in languages()


def test_default_language_comes_first() -> None:
    assert languages() == ("en", "de", "es", "fr")


def test_english_ordinals() -> None:
    words = words_in("en")
    shown = [words.ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert shown == "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th".split()


@pytest.mark.parametrize("language", OTHERS)
def test_other_ordinals_have_no_english_ending(language: str) -> None:
    for number in (1, 2, 3, 4, 11, 21):
        assert re.fullmatch(rf"{number}\W?ª?", words_in(language).ordinal(number))


def test_values_are_put_in_as_they_are() -> None:
    assert (
        Words("en", {"asked": "{who} asked {what}"})("asked", who="A", what="{who} 5%") == "A asked {who} 5%"
    )


def test_missing_texts_and_values_are_errors() -> None:
    words = Words("en", {"asked": "{who} asked"})
    with pytest.raises(KeyError, match="nothing"):
        words("nothing")
    with pytest.raises(KeyError, match="who"):
        words("asked")
