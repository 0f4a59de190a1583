"""Which encoder asks and which builds: graphs kept, graphs refused, damage, and what is imported for it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.exports import (
    FILES,
    GRAPH,
    MODELS,
    graph_digest,
    graph_home,
    read_graph,
    read_refusal,
    refuse_graph,
    verify_models,
)
from index.encoding.models import find_model
from index.encoding.opening import build_encoder, choose_encoder, open_encoder
from index.errors import DamagedIndexError, NoModelError
from index.settings import DEFAULT_MODEL
from index.storage.local import open_generation
from index.storage.manifest import Manifest, read_manifest, read_pointer
from index.storage.verification import index_status, verify
from tests.conftest import MakeSettings
from tests.graphs import lend_graph
from tests.index.model_folders import PROMPTS, copy_default, save_static, save_transformer
from tests.index.shelf import SHELF, put


@pytest.fixture
def graphed(make_settings: MakeSettings, graph_folder: Path) -> Path:
    """Build the shelf in a folder that has the default's graph, as a second build does; return the index."""
    settings = make_settings()
    put(settings.articles, SHELF)
    lend_graph(graph_folder, settings.index)
    build_index(settings)
    return settings.index


def manifest_of(index: Path) -> Manifest:
    return read_manifest(index, read_pointer(index))


def home_of(index: Path) -> Path:
    return graph_home(index, find_model(DEFAULT_MODEL).fingerprint)


def damage(path: Path) -> None:
    """Change one byte in the middle; in a copy, since a graph's file is shared with other tests."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.unlink()
    path.write_bytes(data)


def test_generation_names_the_graph_and_is_asked_by_it(graphed: Path) -> None:
    manifest = manifest_of(graphed)
    assert manifest.graph == graph_digest(graphed, manifest.encoder_fingerprint) != ""
    for name in (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"):
        assert open_encoder(graphed, manifest, name, threads=1).producer == manifest.graph
    assert index_status(graphed).graph == manifest.graph
    assert verify(graphed) == []


def test_pinned_encoder_is_asked_and_any_other_refused_wherever_its_vectors_come_from(
    graphed: Path, make_settings: MakeSettings
) -> None:
    manifest, other = manifest_of(graphed), "0" * 64
    pin = manifest.encoder_fingerprint
    assert open_encoder(graphed, manifest, DEFAULT_MODEL, threads=1, pin=pin).producer == manifest.graph
    with pytest.raises(DamagedIndexError, match=r"FOOTNOTE_MODEL_SHA256.*index build"):
        open_encoder(graphed, manifest, DEFAULT_MODEL, threads=1, pin=other)
    with pytest.raises(NoModelError, match="FOOTNOTE_MODEL_SHA256"):
        choose_encoder(graphed, DEFAULT_MODEL, pin=other)
    with pytest.raises(NoModelError, match="FOOTNOTE_MODEL_SHA256"):
        build_index(make_settings(model_sha256=other))
    assert dict(index_status(graphed).lines())["fingerprint"] == pin


def test_same_model_by_another_name_is_asked_by_the_graph_and_another_is_refused(
    graphed: Path, tmp_path: Path, encoder: Encoder
) -> None:
    same = copy_default(tmp_path / "same")
    manifest = manifest_of(graphed)
    assert open_encoder(graphed, manifest, str(same), threads=1).producer == manifest.graph
    (same / "extra.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedIndexError, match="made with the encoder all-MiniLM-L6-v2"):
        open_encoder(graphed, manifest, str(same))


@pytest.mark.parametrize("name", [GRAPH, *FILES])
def test_damage_is_told_by_name_and_made_good_by_a_build(
    graphed: Path, make_settings: MakeSettings, encoder: Encoder, graph_folder: Path, name: str
) -> None:
    path = home_of(graphed) / name
    damage(path)
    assert any(f"{path} is damaged" in line and "index build" in line for line in verify(graphed))
    with pytest.raises(DamagedIndexError, match="is damaged"):
        index_status(graphed)
    if name not in {"words.txt", "basis.f32"}:  # read when they are needed
        with pytest.raises(DamagedIndexError, match="is damaged"):
            open_encoder(graphed, manifest_of(graphed), DEFAULT_MODEL, threads=1)
    lend_graph(graph_folder, graphed)  # what a build would export anew
    report = build_index(make_settings(), encoder=encoder)
    assert report.articles == 5
    assert verify(graphed) == []


def test_a_build_makes_everything_anew_upon_a_damaged_graph(
    graphed: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    damage(home_of(graphed) / "words.txt")
    report = build_index(make_settings(), encoder=encoder)
    assert "words.txt is damaged" in report.changes.everything


def test_graph_that_is_gone_is_told_with_what_to_run(graphed: Path) -> None:
    shutil.rmtree(graphed / MODELS)
    assert any("graph is damaged or gone" in line for line in verify(graphed))
    with pytest.raises(DamagedIndexError, match=r"graph\.json cannot be read.*index build"):
        open_encoder(graphed, manifest_of(graphed), DEFAULT_MODEL)


def test_record_is_refused_at_any_changed_byte(graphed: Path) -> None:
    """Also before a manifest names it: it has its own SHA-256."""
    path = home_of(graphed) / GRAPH
    data = path.read_bytes()
    for place in range(0, len(data), 37):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(DamagedIndexError):
            read_graph(path.parent)
    path.write_bytes(data)
    assert read_graph(path.parent).agreement["dense"] > 0.9999


def test_strange_files_among_the_models_are_told_of(graphed: Path) -> None:
    (home_of(graphed) / "notes.txt").write_text("?", encoding="utf-8")
    (graphed / MODELS / "notes.txt").write_text("?", encoding="utf-8")
    assert [line for line in verify(graphed) if "notes.txt: not a file of the index" in line] == verify(
        graphed
    )
    assert len(verify(graphed)) == 2


def test_models_that_no_generation_is_of_are_removed(
    graphed: Path, make_settings: MakeSettings, graph_folder: Path
) -> None:
    other = graphed / MODELS / ("0" * 16)
    shutil.copytree(home_of(graphed), other)
    put(make_settings().articles, {"kiln.txt": "The kiln was lit by Ada Quay.\n"})
    build_index(make_settings())
    assert not other.exists()
    assert home_of(graphed).is_dir()


def test_model_that_is_not_here_is_known_by_the_graph(
    graphed: Path, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host without the weights: it builds on with the graph that came with the index."""
    before = find_model(DEFAULT_MODEL).fingerprint
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(NoModelError):
        find_model(DEFAULT_MODEL)
    put(make_settings().articles, {"kiln.txt": "The kiln was lit by Ada Quay.\n"})
    report = build_index(make_settings())
    assert (report.reused, report.encoded) == (5, 1)
    assert manifest_of(graphed).encoder_fingerprint == before
    assert choose_encoder(graphed, DEFAULT_MODEL, threads=1).model.fingerprint == before
    with pytest.raises(NoModelError):
        choose_encoder(graphed, "another-model")


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("kind", ["static", "aside"])
def test_model_without_a_graph_is_told_of_once_and_not_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    folder = tmp_path / "model"
    if kind == "static":
        save_static(folder)
    else:
        save_transformer(folder, prompts=PROMPTS, include_prompt=False)
    model = find_model(str(folder))
    index = tmp_path / "index"
    index.mkdir()
    assert build_encoder(index, model, ()).producer == "reference"
    (line,) = warnings_of(caplog)
    assert f"no graph can be made of the encoder {folder}" in line
    assert "\n" not in line
    assert build_encoder(index, model, ()).producer == "reference"
    assert len(warnings_of(caplog)) == 1
    assert verify_alone(index) == [], "the refusal is a file of the index"
    refused = graph_home(index, model.fingerprint) / "refused.json"
    damage(refused)
    assert "refused.json is damaged" in verify_alone(index)[0]
    assert build_encoder(index, model, ()).producer == "reference"
    assert len(warnings_of(caplog)) == 2, "what cannot be read is tried again"


def test_refusal_holds_for_the_versions_that_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade of what makes graphs tries again."""
    refuse_graph(tmp_path, "ab" * 32, "it is too new")
    assert read_refusal(tmp_path, "ab" * 32) == "it is too new"
    assert read_refusal(tmp_path, "cd" * 32) is None
    upgraded = tmp_path / "onnx-99.0.dist-info"
    upgraded.mkdir()
    (upgraded / "METADATA").write_text("Metadata-Version: 2.1\nName: onnx\nVersion: 99.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read_refusal(tmp_path, "ab" * 32) is None


def verify_alone(index: Path) -> list[str]:
    """Verify an index folder that has no generation yet."""
    return list(verify_models(index, {}))


def test_reference_may_be_asked_for_where_there_is_a_graph(
    graphed: Path, make_settings: MakeSettings
) -> None:
    put(make_settings().articles, {"kiln.txt": "The kiln was lit by Ada Quay.\n"})
    model = find_model(DEFAULT_MODEL)
    assert build_encoder(graphed, model, (), EncodeWith.REFERENCE).producer == "reference"
    before = manifest_of(graphed).graph
    build_index(make_settings(encode_with="reference"))
    assert manifest_of(graphed).graph == before, "it is asked by the graph all the same"


def test_index_without_a_graph_is_asked_by_the_reference(own_index: Path) -> None:
    manifest = manifest_of(own_index)
    assert manifest.graph == ""
    assert open_encoder(own_index, manifest, DEFAULT_MODEL).producer == "reference"
    generation = open_generation(own_index)
    assert generation.status().graph == ""
    generation.close()
