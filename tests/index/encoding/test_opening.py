"""Where exports are kept, and which encoder is opened."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import REFERENCE, Encoder
from index.encoding.models import Model, find_model
from index.encoding.onnx_encoder import FILES, RECORD, WEIGHTS, Export, OnnxEncoder, faults
from index.encoding.opening import (
    ENCODERS,
    build_encoder,
    find_model_of,
    install,
    open_encoder,
    remove_unused,
    verify_encoder,
)
from index.errors import DamagedIndexError, NoModelError
from index.settings import DEFAULT_MODEL
from index.storage.inspection import verify
from tests.conftest import MakeSettings
from tests.index.encoding.model_folders import copy_default
from tests.index.shelf import SHELF, put

ROOT = Path(__file__).parents[3]


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Path:
    """Give an index folder with the default's export, whose weights the test may change."""
    folder = tmp_path / "index"
    install(folder, encoder)
    weights = home_of(folder, encoder) / WEIGHTS
    shutil.copyfile(weights, tmp_path / WEIGHTS)
    (tmp_path / WEIGHTS).replace(weights)
    return folder


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Start with an empty cache; return its folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/footnote" / ENCODERS


def home_of(index: Path, encoder: Encoder) -> Path:
    return index / ENCODERS / encoder.model.fingerprint[:16]


def opened(index: Path, encoder: Encoder, name: str = DEFAULT_MODEL, pin: str = "") -> Encoder:
    """Open the encoder of a generation that `encoder` made."""
    fingerprint, producer = encoder.model.fingerprint, encoder.producer
    return open_encoder(index, name=name, fingerprint=fingerprint, producer=producer, threads=1, pin=pin)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_index_contains_what_answering_needs(index: Path, encoder: Encoder, no_cache: Path) -> None:
    assert list(verify_encoder(index, encoder.model.fingerprint, encoder.producer)) == []
    for name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        own = opened(index, encoder, name, encoder.model.fingerprint)
        assert isinstance(own, OnnxEncoder)
        assert own.producer == encoder.producer
        assert own.export.home == home_of(index, encoder)
    assert not no_cache.exists()


def test_opening_imports_no_torch_and_starts_no_telemetry(
    index: Path, encoder: Encoder, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from index.encoding.opening import open_encoder\n"
        f"encoder = open_encoder(Path({str(index)!r}), name={DEFAULT_MODEL!r},\n"
        f"    producer={encoder.producer!r},"
        f"    fingerprint={encoder.model.fingerprint!r})\n"
        "encoder.encode_question('Who kept bees?', encoder.basis)\n"
        "print(*{'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("\n", "")
    assert not (tmp_path / "cache").exists()


def test_weights_share_the_disk_with_the_cache_and_nothing_else_does(
    tmp_path: Path, encoder: Encoder
) -> None:
    install(tmp_path, encoder)
    links = {path.name: path.stat().st_nlink for path in home_of(tmp_path, encoder).iterdir()}
    assert links.pop(WEIGHTS) > 1
    assert links == dict.fromkeys({RECORD, *FILES} - {WEIGHTS}, 1)


@pytest.mark.parametrize("name", [RECORD, *FILES])
def test_damage_is_named_and_mended_by_the_cache(
    index: Path, encoder: Encoder, no_cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = home_of(index, encoder) / name
    flip(path)
    (line,) = verify_encoder(index, encoder.model.fingerprint, encoder.producer)
    assert f"{path} is damaged" in line
    with pytest.raises(DamagedIndexError, match=rf"{path} is damaged.*footnote index build"):
        opened(index, encoder)
    monkeypatch.undo()
    assert opened(index, encoder).producer == encoder.producer, "it is in the cache"
    built = build_encoder(index, encoder.model, threads=1)
    assert built.producer == encoder.producer
    install(index, built)
    assert list(verify_encoder(index, encoder.model.fingerprint, encoder.producer)) == []


def test_build_mends_a_damaged_export_though_no_article_has_changed(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    put(settings.articles, SHELF)
    before = build_index(settings).generation
    flip(home_of(settings.index, encoder) / "words.txt")
    assert any("words.txt is damaged" in line for line in verify(settings.index))
    assert build_index(settings).generation == before
    assert verify(settings.index) == []


def test_record_is_refused_at_any_changed_byte(index: Path, encoder: Encoder) -> None:
    path = home_of(index, encoder) / RECORD
    data, name = path.read_bytes(), b'"name": "'
    for place in range(0, len(data), 7):
        if not data.index(name) <= place < data.index(b"\n", data.index(name)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(DamagedIndexError, match=f"{path} is damaged"):
                Export.read(path.parent)


@pytest.mark.parametrize("name", [RECORD, "tokenizer.json", ""])
def test_links_pipes_and_missing_files_are_refused(index: Path, encoder: Encoder, name: str) -> None:
    path = home_of(index, encoder) / name
    path.rename(index / "elsewhere")
    makers: list[Callable[[], object]] = [
        lambda: path.symlink_to(index / "elsewhere"),
        lambda: os.mkfifo(path),
        lambda: path.write_text(""),
    ]
    for make in makers:
        assert any(str(path) in str(error) for error in faults(home_of(index, encoder))), "missing"
        make()
        assert any(str(path) in str(error) for error in faults(home_of(index, encoder)))
        path.unlink()
    path.symlink_to(index / "elsewhere")
    install(index, encoder)
    assert not path.is_symlink()
    assert not any(faults(home_of(index, encoder)))


def test_another_producer_model_or_pin_is_refused(
    index: Path, encoder: Encoder, tmp_path: Path, no_cache: Path
) -> None:
    fingerprint = encoder.model.fingerprint
    with pytest.raises(DamagedIndexError, match="not the one that the index was made with"):
        open_encoder(index, name=DEFAULT_MODEL, fingerprint=fingerprint, producer="0" * 64)
    with pytest.raises(DamagedIndexError, match=r"FOOTNOTE_MODEL_SHA256.*index build"):
        opened(index, encoder, pin="0" * 64)
    same = copy_default(tmp_path / "same")
    assert opened(index, encoder, str(same)).producer == encoder.producer
    (same / "extra.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedIndexError, match=f"made with the encoder {DEFAULT_MODEL}, and FOOTNOTE_MODEL"):
        opened(index, encoder, str(same))
    with pytest.raises(DamagedIndexError, match="made with another encoder"):
        open_encoder(index, name=str(same), fingerprint=fingerprint, producer=REFERENCE)


def test_only_exports_of_named_models_stay(index: Path, encoder: Encoder) -> None:
    for name in (f"{ENCODERS}/0123456789abcdef", f"{ENCODERS}/.building-0123456789abcdef", "models/0123"):
        (index / name).mkdir(parents=True)
        (index / name / RECORD).write_text("{}", encoding="utf-8")
    remove_unused(index, [encoder.model.fingerprint])
    assert sorted(index.rglob("*")) == sorted(
        [index / ENCODERS, home_of(index, encoder), *home_of(index, encoder).iterdir()]
    )
    remove_unused(index, [])
    assert not list((index / ENCODERS).iterdir())


def test_model_without_files_is_found_by_its_export(index: Path, tmp_path: Path, encoder: Encoder) -> None:
    """As on a host that got an index, and builds on with it."""
    folder = copy_default(tmp_path / "model")
    encoder_of_copy = OnnxEncoder(Export.read(home_of(index, encoder)))
    encoder_of_copy.model = find_model(str(folder))
    install(index, encoder_of_copy)
    shutil.rmtree(folder)
    found = find_model_of(index, str(folder))
    assert (found.name, found.fingerprint) == (str(folder), encoder.model.fingerprint)
    assert build_encoder(index, found, threads=1).producer == encoder.producer
    with pytest.raises(NoModelError, match="FOOTNOTE_MODEL_SHA256"):
        find_model_of(index, str(folder), "0" * 64)
    with pytest.raises(NoModelError, match="no encoder 'another-model'"):
        find_model_of(index, "another-model")


BUILD = """
import sys
from collections.abc import Callable
from pathlib import Path
from index.encoding.models import find_model
from index.encoding.opening import build_encoder, install
encoder = build_encoder(Path(sys.argv[1]), find_model(sys.argv[2]))
install(Path(sys.argv[1]), encoder)
print(encoder.producer, "torch" in sys.modules)
"""


def test_builds_at_once_export_a_model_once(
    no_cache: Path, tmp_path: Path, sentencepiece_encoder: Encoder
) -> None:
    model = sentencepiece_encoder.model
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, str(tmp_path / name), model.name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    printed = [process.communicate(timeout=300)[0].split() for process in processes]
    producers = {producer for producer, _ in printed}
    assert len(producers) == 1
    (entry,) = [path for path in no_cache.iterdir() if path.is_dir()]
    assert Export.read(entry).digest in producers
    for name in ("one", "two"):
        assert list(verify_encoder(tmp_path / name, model.fingerprint, *producers)) == []
    flip(entry / "words.txt")
    (entry.parent / f".building-{entry.name}").mkdir()
    assert build_encoder(tmp_path / "three", model).producer != REFERENCE
    assert not any(faults(entry)), "a damaged entry is made anew"
    assert not list(entry.parent.glob(".building-*"))


def test_without_a_cache_the_index_gets_the_export(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sentencepiece_encoder: Encoder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    encoder = build_encoder(tmp_path, sentencepiece_encoder.model)
    install(tmp_path, encoder)
    assert list(verify_encoder(tmp_path, encoder.model.fingerprint, encoder.producer)) == []
    assert "cannot be cached in" in caplog.text


@pytest.mark.parametrize("kind", ["static_encoder", "aside_encoder"])
def test_model_that_cannot_be_exported_is_encoded_by_the_reference(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    model: Model = request.getfixturevalue(kind).model
    built = build_encoder(tmp_path, model)
    install(tmp_path, built)
    assert built.producer == REFERENCE
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert f"{model.name} cannot be exported" in warning.getMessage()
    assert list(tmp_path.iterdir()) == []
    assert opened(tmp_path, built, model.name).producer == REFERENCE
    assert list(verify_encoder(tmp_path, model.fingerprint, REFERENCE)) == []
