"""What indexing can be told: where a value comes from, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from index.errors import SettingsError
from index.settings import IndexSettings


def test_defaults_are_relative_to_the_working_folder() -> None:
    settings = IndexSettings.load()
    assert settings.articles == Path("articles")
    assert settings.index == Path(".footnote/index")
    assert (settings.model, settings.language) == ("all-MiniLM-L6-v2", "en")


def test_option_comes_before_environment_before_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FOOTNOTE_LANGUAGE=de\nFOOTNOTE_MODEL=from-file\nFOOTNOTE_INDEX=file\n")
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", "fr")
    monkeypatch.setenv("FOOTNOTE_MODEL", "from-environment")
    settings = IndexSettings.load(language="es", articles=None)
    assert (settings.language, settings.model, settings.index) == ("es", "from-environment", Path("file"))
    assert settings.articles == Path("articles"), "an option left out is as if not given"


def test_empty_value_in_the_environment_is_as_if_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", "")
    assert IndexSettings.load().language == "en"


@pytest.mark.parametrize("value", ["English", "EN", "e", "en-GB", "en\n", "12"])
def test_wrong_value_names_the_variable_and_the_value(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", value)
    with pytest.raises(SettingsError) as caught:
        IndexSettings.load()
    assert str(caught.value).startswith(f"FOOTNOTE_LANGUAGE: {value!r} is not accepted: ")


def test_wrong_value_in_the_env_file_is_shown() -> None:
    Path(".env").write_text("FOOTNOTE_LANGUAGE=English\n")
    with pytest.raises(SettingsError, match="FOOTNOTE_LANGUAGE: 'English' is not accepted"):
        IndexSettings.load()


def test_wrong_value_of_a_name_in_lower_case_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is read whatever the case of its names; the message must show what was read."""
    monkeypatch.setenv("footnote_language", "English")
    with pytest.raises(SettingsError, match="FOOTNOTE_LANGUAGE: 'English' is not accepted"):
        IndexSettings.load()


def test_wrong_option_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_LANGUAGE", "fr")
    with pytest.raises(SettingsError, match=r"^--language: 'English' is not accepted"):
        IndexSettings.load(language="English")


def test_every_wrong_value_has_a_line() -> None:
    with pytest.raises(SettingsError) as caught:
        IndexSettings.load(language="English", model="")
    assert [line.split(":")[0] for line in str(caught.value).split("\n")] == ["--model", "--language"]


def test_names_of_others_in_the_env_file_are_left_alone() -> None:
    Path(".env").write_text("# a comment\nPATHS=x\nexport OTHER='y'\n")
    assert IndexSettings.load() == IndexSettings()


@pytest.mark.parametrize("content", [b"FOOTNOTE_LANGUAGE=\xff\n", b"\xff\xfe"])
def test_env_file_that_is_not_utf8_is_refused(content: bytes) -> None:
    Path(".env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        IndexSettings.load()


def test_settings_do_not_change_once_made() -> None:
    with pytest.raises(ValidationError):
        IndexSettings.load().language = "es"  # type: ignore[misc]


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in IndexSettings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
