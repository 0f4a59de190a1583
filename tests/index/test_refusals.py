"""A build that is refused changes nothing."""

from __future__ import annotations

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import ArticleError
from index.storage.local import open_generation
from tests.conftest import MakeSettings
from tests.index.shelf import contents, put, shelve


def test_refused_build_leaves_the_old_index_serving_byte_for_byte(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    shelve(settings, encoder)
    before = contents(settings.index)
    put(settings.articles, {"bad.txt": b"\xff", "new.txt": "New and good."})
    with pytest.raises(ArticleError, match=r"bad\.txt, line 1"):
        build_index(settings, encoder=encoder)
    assert contents(settings.index) == before
    open_generation(settings.index).close()


def test_refused_first_build_leaves_no_index_behind(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, {"bad.txt": b""})
    with pytest.raises(ArticleError):
        build_index(settings, encoder=encoder)
    assert not settings.index.exists()
