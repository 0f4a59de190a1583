"""The list of collections: what it may say, and whose settings win."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import SettingsError
from index.settings import IndexSettings

LIST = Path("lists/collections.toml")


@pytest.fixture(autouse=True)
def folder() -> None:
    """Give the list a folder of its own."""
    LIST.parent.mkdir()


def test_the_collection_wins_over_the_environment_and_an_option_over_the_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    LIST.write_text('[handbook]\narticles = "handbook"\nlanguage = "de"\n')
    for name, value in {"ARTICLES": "elsewhere", "LANGUAGE": "fr", "GATE": "gold.jsonl", "KEEP": "7"}.items():
        monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    settings = IndexSettings.load(collection="handbook", collections=LIST)
    assert (settings.articles, settings.sources) == (
        Path("lists/handbook"),
        Path("lists/handbook.sources.toml"),
    )
    assert settings.index == Path("lists/.footnote/handbook/index")
    assert (settings.language, settings.gate, settings.keep) == ("de", None, 7)
    monkeypatch.setenv("FOOTNOTE_COLLECTION", "handbook")
    monkeypatch.setenv("FOOTNOTE_COLLECTIONS", str(LIST))
    given = IndexSettings.load(articles="given", language="es", sources="")
    assert (given.articles, given.language, given.sources) == (Path("given"), "es", None)
    assert (given.index, IndexSettings.load(collection="").articles) == (settings.index, Path("elsewhere"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[handbook", "cannot be read: "),
        ("[handbook]\narticles = 7", r'\[handbook\] needs articles = "PATH"'),
        ('["The Handbook"]\narticles = "a"', "'The Handbook' is no name for a collection"),
        ('[inherit]\narticles = "a"', "'inherit' is no name .* not default or inherit"),
        (
            '[handbook]\narticles = "a"\nmodel = "m"',
            r"model in \[handbook\] is not known; known are articles",
        ),
        ('[handbook]\narticles = "a"\nlanguage = "German"', r"in \[handbook\], language 'German': .*pattern"),
        ('[handbook]\narticles = ""', r"articles in \[handbook\] is no path"),
        ('[handbook]\narticles = "a"\nindex = "x\\u0000"', r"index in \[handbook\] is no path"),
        ('[other]\narticles = "a"', "no collection 'handbook'; lists.collections.toml lists other"),
    ],
)
def test_what_the_list_may_not_say_is_refused_by_name(text: str, message: str) -> None:
    LIST.write_text(text)
    with pytest.raises(SettingsError, match=message):
        IndexSettings.load(collection="handbook", collections=LIST)
