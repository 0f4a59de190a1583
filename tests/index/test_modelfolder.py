"""Hostile model folders: none of them is loaded, and none of the code that they bring along is run."""

from __future__ import annotations

import json
import os
import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.encoding.models import find_model
from index.errors import NoModelError
from index.settings import DEFAULT_MODEL
from tests.index.model_folders import CODE, Marking, marker

TRANSFORMER = "sentence_transformers.models.Transformer"
DENSE = "sentence_transformers.models.Dense"
Spoil = Callable[[Path], object]


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def modules(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"idx": at, "name": str(at), "path": path, "type": kind} for at, (kind, path) in enumerate(pairs)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder that is accepted, and beside its files those of an attacker, which nobody asks for."""
    made = tmp_path / "model"
    made.mkdir()
    write(made, "config.json", {"model_type": "bert"})
    write(made, "modules.json", modules((TRANSFORMER, "")))
    write(made, "model.safetensors", "weights")
    write(made, "evil.py", CODE.format(str(marker(tmp_path))))
    (made / "pytorch_model.bin").write_bytes(pickle.dumps(Marking(marker(tmp_path))))
    return made


def test_attackers_code_would_run_if_it_were_loaded(folder: Path, tmp_path: Path) -> None:
    for load in (
        lambda: pickle.loads((folder / "pytorch_model.bin").read_bytes()),  # noqa: S301 - that is the point
        lambda: runpy.run_path(str(folder / "evil.py")),
    ):
        load()
        assert marker(tmp_path).exists()
        marker(tmp_path).rmdir()


def test_folder_is_read_without_what_lies_beside_it(folder: Path) -> None:
    model = find_model(str(folder))
    assert [name for name, _ in model.files] == ["config.json", "model.safetensors", "modules.json"]


def rename(folder: Path, old: str, new: str) -> None:
    (folder / old).rename(folder / new)


def pickled_dense(folder: Path) -> None:
    write(folder, "2_Dense/pytorch_model.pt", "x")
    write(folder, "modules.json", modules((TRANSFORMER, ""), (DENSE, "2_Dense")))


SPOILT: dict[str, tuple[str, str, Spoil]] = {
    "code of a model": (
        "config.json",
        "asks for code",
        lambda at: write(at, "config.json", {"auto_map": {"AutoModel": "evil.Model"}}),
    ),
    "code further down": (
        "config.json",
        "asks for code",
        lambda at: write(at, "config.json", {"text_config": [{"auto_map": {"AutoConfig": "evil.Config"}}]}),
    ),
    "code of a tokenizer": (
        "tokenizer_config.json",
        "asks for code",
        lambda at: write(at, "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.T", None]}}),
    ),
    "trust by a setting of its own": (
        "sentence_bert_config.json",
        "asks for code",
        lambda at: write(at, "sentence_bert_config.json", {"model_args": {"trust_remote_code": True}}),
    ),
    "a kernel of the hub": (
        "config.json",
        "asks for code",
        lambda at: write(at, "config.json", {"_attn_implementation": "evil/kernel"}),
    ),
    "files of another model": (
        "adapter_config.json",
        "another model",
        lambda at: write(at, "adapter_config.json", {"base_model_name_or_path": "evil/model"}),
    ),
    "a module of its own": (
        "modules.json",
        "names the module 'evil.Module'",
        lambda at: write(at, "modules.json", modules(("evil.Module", ""))),
    ),
    "a module of Python's": (
        "modules.json",
        "names the module 'subprocess.Popen'",
        lambda at: write(at, "modules.json", modules(("subprocess.Popen", ""))),
    ),
    "what a library's module imports": (
        "modules.json",
        "names the module",
        lambda at: write(at, "modules.json", modules(("sentence_transformers.base.model.pickle", ""))),
    ),
    "a module that loads others": (
        "modules.json",
        "names the module",
        lambda at: write(at, "modules.json", modules(("sentence_transformers.models.Router", ""))),
    ),
    "a tokenizer by name of its class": (
        "modules.json",
        "names the module",
        lambda at: write(at, "modules.json", modules(("sentence_transformers.models.WordEmbeddings", ""))),
    ),
    "a way up": (
        "modules.json",
        "outside",
        lambda at: write(at, "modules.json", modules((TRANSFORMER, ""), (DENSE, "2_Dense/../../other"))),
    ),
    "a way up with backslashes": (
        "modules.json",
        "outside",
        lambda at: write(at, "modules.json", modules((TRANSFORMER, "..\\other"))),
    ),
    "a way from the root": (
        "modules.json",
        "outside",
        lambda at: write(at, "modules.json", modules((TRANSFORMER, "/etc"))),
    ),
    "an activation by name of its class": (
        "2_Dense/config.json",
        "activation",
        lambda at: write(at, "2_Dense/config.json", {"activation_function": "evil.Function"}),
    ),
    "an activation among torch's own files": (
        "2_Dense/config.json",
        "activation",
        lambda at: write(at, "2_Dense/config.json", {"activation_function": "torch.hub.load"}),
    ),
    "weights elsewhere": (
        "model.safetensors.index.json",
        "no safetensors beside it",
        lambda at: write(at, "model.safetensors.index.json", {"weight_map": {"a": "../b.safetensors"}}),
    ),
    "weights in a pickle that an index names": (
        "model.safetensors.index.json",
        "no safetensors beside it",
        lambda at: write(at, "model.safetensors.index.json", {"weight_map": {"a": "pytorch_model.bin"}}),
    ),
    "weights in a pickle": (
        "pytorch_model.bin",
        "is a pickle",
        lambda at: (at / "model.safetensors").unlink(),
    ),
    "a module's weights in a pickle": (
        "2_Dense/pytorch_model.pt",
        "is a pickle",
        pickled_dense,
    ),
    "no list of modules": ("modules.json", "no list", lambda at: write(at, "modules.json", {"a": 1})),
    "JSON without end": ("config.json", "no JSON", lambda at: write(at, "config.json", "[" * 100_000)),
    "a link out of the folder": (
        "vocab.txt",
        "is a link",
        lambda at: (at / "vocab.txt").symlink_to("/etc/passwd"),
    ),
    "a link to a folder elsewhere": (
        "1_Pooling",
        "is a link",
        lambda at: (at / "1_Pooling").symlink_to("/etc", target_is_directory=True),
    ),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_hostile_folder_is_refused_by_file_and_reason_and_its_code_is_not_run(
    folder: Path, tmp_path: Path, spoil: str
) -> None:
    file, reason, change = SPOILT[spoil]
    change(folder)
    with pytest.raises(NoModelError) as raised:
        find_model(str(folder))
    assert str(folder / file) in str(raised.value)
    assert reason in str(raised.value)
    assert "FOOTNOTE_MODEL" in str(raised.value)
    assert not marker(tmp_path).exists()


@pytest.mark.parametrize("kind", ["CNN", "Dense", "LayerNorm", "LSTM", "StaticEmbedding"])
def test_every_module_with_weights_has_them_as_safetensors(folder: Path, kind: str) -> None:
    write(folder, "modules.json", modules((TRANSFORMER, ""), (f"sentence_transformers.models.{kind}", "2")))
    (folder / "2").mkdir()
    rename(folder, "pytorch_model.bin", "2/pytorch_model.bin")
    with pytest.raises(NoModelError, match=r"2/pytorch_model\.bin is a pickle"):
        find_model(str(folder))
    write(folder, "2/model.safetensors", "weights")
    assert "2/model.safetensors" in dict(find_model(str(folder)).files)


def test_loop_of_links_and_a_pipe_are_passed_over_or_refused_at_once(folder: Path) -> None:
    os.mkfifo(folder / "vocab.txt")
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert len(find_model(str(folder)).files) == 3
    (folder / "loop.json").symlink_to("loop.json")
    assert len(find_model(str(folder)).files) == 3


def test_snapshot_of_the_hub_links_into_its_own_store_and_nowhere_else(folder: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in ("config.json", "modules.json", "model.safetensors"):
        (folder / name).rename(blobs / f"sha-of-{name}")
        (snapshot / name).symlink_to(f"../../blobs/sha-of-{name}")
    assert len(find_model(str(snapshot)).files) == 3
    (snapshot / "vocab.txt").symlink_to(folder / "evil.py")
    with pytest.raises(NoModelError, match=r"vocab\.txt is a link"):
        find_model(str(snapshot))


def test_pinned_encoder_is_refused_once_a_byte_of_it_has_changed(folder: Path) -> None:
    pin = find_model(str(folder)).fingerprint
    assert find_model(str(folder), pin).fingerprint == pin
    write(folder, "model.safetensors", "weightS")
    with pytest.raises(NoModelError, match=r"has the fingerprint [0-9a-f]{64}.*FOOTNOTE_MODEL_SHA256"):
        find_model(str(folder), pin)


def test_packaged_encoder_can_be_pinned_too() -> None:
    assert find_model(DEFAULT_MODEL, find_model(DEFAULT_MODEL).fingerprint).packaged
    with pytest.raises(NoModelError, match="FOOTNOTE_MODEL_SHA256"):
        find_model(DEFAULT_MODEL, "0" * 64)
