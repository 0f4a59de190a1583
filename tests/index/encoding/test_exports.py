"""Where exports are kept, and which encoder is opened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder, open_encoder
from index.encoding.exports import (
    ENCODERS,
    FILES,
    HASHES,
    WEIGHTS,
    export_home,
    find_damage,
    put_export,
    remove_unused,
)
from index.encoding.models import Model, find_model
from index.encoding.reference import build_encoder
from index.errors import DamagedIndexError, NoModelError
from index.settings import DEFAULT_MODEL, IndexSettings
from index.storage.inspection import find_model_of, verify
from tests.conftest import MakeSettings
from tests.index.encoding.model_folders import copy_default
from tests.index.shelf import SHELF, put

ROOT = Path(__file__).parents[3]


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Path:
    """Give an index folder with the default's export, whose weights the test may change."""
    put_export(tmp_path / "index", encoder.model.fingerprint, encoder.home)
    weights = home_of(tmp_path / "index", encoder) / WEIGHTS
    shutil.copyfile(weights, tmp_path / WEIGHTS)
    (tmp_path / WEIGHTS).replace(weights)
    return tmp_path / "index"


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Start with an empty cache; return its folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/footnote" / ENCODERS


def home_of(index: Path, encoder: Encoder) -> Path:
    return export_home(index, encoder.model.fingerprint)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_opening_needs_the_index_alone_and_imports_no_torch(index: Path, encoder: Encoder) -> None:
    code = (
        "import sys\nfrom index.encoding.encoder import open_encoder\n"
        "from index.settings import IndexSettings\n"
        f"encoder = open_encoder(IndexSettings.load(index={str(index)!r}),"
        f" {DEFAULT_MODEL!r}, {encoder.model.fingerprint!r})\n"
        "encoder.encode_question('Who kept bees?', encoder.basis)\n"
        "print(*{'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(index.with_name("cache"))}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("\n", "")
    assert not index.with_name("cache").exists()


def test_weights_share_the_disk_with_the_cache_and_nothing_else_does(
    tmp_path: Path, encoder: Encoder
) -> None:
    put_export(tmp_path, encoder.model.fingerprint, encoder.home)
    links = {path.name: path.stat().st_nlink for path in home_of(tmp_path, encoder).iterdir()}
    assert links.pop(WEIGHTS) > 1
    assert links == dict.fromkeys({HASHES, *FILES} - {WEIGHTS}, 1)


@pytest.mark.parametrize("name", [HASHES, *FILES])
def test_damage_is_named_and_mended_by_the_cache(index: Path, encoder: Encoder, name: str) -> None:
    home = home_of(index, encoder)
    flip(home / name)
    with pytest.raises(DamagedIndexError, match=rf"{home}/.* is damaged.*footnote index build") as caught:
        open_encoder(IndexSettings.load(index=index), DEFAULT_MODEL, encoder.model.fingerprint)
    assert name in str(caught.value)
    built = build_encoder(index, encoder.model)
    put_export(index, built.model.fingerprint, built.home)
    assert find_damage(home) is None


def test_build_mends_a_damaged_export_though_no_article_has_changed(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    put(settings.articles, SHELF)
    before = build_index(settings).generation
    flip(home_of(settings.index, encoder) / "tokenizer.json")
    assert any("tokenizer.json is damaged" in line for line in verify(settings.index))
    assert build_index(settings).generation == before
    assert verify(settings.index) == []


def test_damaged_hashes_are_noticed_at_any_byte(index: Path, encoder: Encoder) -> None:
    path = home_of(index, encoder) / HASHES
    data = path.read_bytes()
    for place in range(0, len(data), 3):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert find_damage(path.parent)


@pytest.mark.parametrize("name", [HASHES, "tokenizer.json"])
def test_links_pipes_and_missing_files_are_refused(index: Path, encoder: Encoder, name: str) -> None:
    home = home_of(index, encoder)
    path = home / name
    path.rename(index / "elsewhere")
    makers: list[Callable[[], object]] = [
        lambda: path.symlink_to(index / "elsewhere"),
        lambda: os.mkfifo(path),
        lambda: path.write_text(""),
    ]
    for make in makers:
        assert str(path) in str(find_damage(home)), "missing"
        make()
        assert name in str(find_damage(home))
        path.unlink()
    path.symlink_to(index / "elsewhere")
    put_export(index, encoder.model.fingerprint, encoder.home)
    assert not path.is_symlink()
    assert find_damage(home) is None


def test_another_model_or_pin_is_refused(index: Path, encoder: Encoder, tmp_path: Path) -> None:
    fingerprint, same = encoder.model.fingerprint, copy_default(tmp_path / "same")
    for name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}", str(same)):
        settings = IndexSettings.load(index=index, model=name, model_sha256=fingerprint)
        assert open_encoder(settings, DEFAULT_MODEL, fingerprint).home == home_of(index, encoder)
    with pytest.raises(DamagedIndexError, match=r"FOOTNOTE_MODEL_SHA256 names another.*index build"):
        open_encoder(IndexSettings.load(index=index, model_sha256="0" * 64), DEFAULT_MODEL, fingerprint)
    (same / "extra.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedIndexError, match=f"with the encoder {DEFAULT_MODEL} .* FOOTNOTE_MODEL names"):
        open_encoder(IndexSettings.load(index=index, model=str(same)), DEFAULT_MODEL, fingerprint)


def test_only_exports_of_named_models_stay(index: Path, encoder: Encoder) -> None:
    of_an_old_version = index / "models"
    for folder in (of_an_old_version, index / ENCODERS / "0123456789abcdef-4"):
        folder.mkdir()
    remove_unused(index, [encoder.model.fingerprint])
    assert list((index / ENCODERS).iterdir()) == [home_of(index, encoder)]
    assert not of_an_old_version.exists()
    remove_unused(index, [])
    assert not list((index / ENCODERS).iterdir())


def test_model_without_files_is_that_of_the_index(
    make_settings: MakeSettings, tmp_path: Path, encoder: Encoder
) -> None:
    """As on a host that got an index, and builds on with it."""
    folder = copy_default(tmp_path / "model")
    settings = make_settings(model=str(folder))
    put(settings.articles, SHELF)
    built = build_index(settings, encoder=Encoder(encoder.home, find_model(str(folder)), threads=1))
    shutil.rmtree(folder)
    model = find_model_of(settings)
    assert (model.name, model.fingerprint, model.files) == (str(folder), encoder.model.fingerprint, ())
    assert build_index(settings).generation == built.generation
    put(settings.articles, {"new.txt": "Oars\n\nThe club bought eight oars."})
    assert build_index(settings).encoded == 1
    with pytest.raises(NoModelError, match="FOOTNOTE_MODEL_SHA256"):
        find_model_of(make_settings(model=str(folder), model_sha256="0" * 64))
    with pytest.raises(NoModelError, match="no encoder 'another-model'"):
        find_model_of(make_settings(model="another-model"))


BUILD = """
import sys
from pathlib import Path
from index.encoding.models import find_model
from index.encoding.reference import build_encoder
print(build_encoder(Path(sys.argv[1]), find_model(sys.argv[2])).home, "torch" in sys.modules)
"""


def test_builds_at_once_export_a_model_once(
    empty_cache: Path, tmp_path: Path, sentencepiece_model: Model
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, str(tmp_path / name), sentencepiece_model.name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    printed = [process.communicate(timeout=300)[0].split() for process in processes]
    (entry,) = [path for path in empty_cache.iterdir() if path.is_dir()]
    assert sorted(printed) == [[str(entry), "False"], [str(entry), "True"]]
    assert find_damage(entry) is None


def test_without_a_cache_the_index_gets_the_export(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sentencepiece_model: Model,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    encoder = build_encoder(tmp_path, sentencepiece_model)
    assert encoder.home == home_of(tmp_path, encoder)
    assert find_damage(encoder.home) is None
    assert "cannot be cached in" in caplog.text
