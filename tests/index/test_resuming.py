"""A build that was cut off goes on where it was; what it left is no damage, and never used when damaged."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from index.build import build_index
from index.encoding.encoder import Encoder
from index.progress import Progress
from index.settings import IndexSettings
from index.storage.local import open_generation
from index.storage.manifest import KEPT
from index.storage.verification import verify
from tests.conftest import MakeSettings
from tests.index.databases import assert_same
from tests.index.shelf import generations, put

ROOT = Path(__file__).parents[2]
ARTICLES = 20


def article(number: int, text: str = "") -> str:
    told = (f"Boat {row} of {1900 + number} had a crew of {row * number} men and boys." for row in range(36))
    return json.dumps({"id": f"a{number}", "title": f"Boats {number}", "text": text or " ".join(told)})


@pytest.fixture
def fleet(make_settings: MakeSettings, sentencepiece_encoder: Encoder) -> IndexSettings:
    """Write articles whose passages take several batches; nothing is built yet."""
    settings = make_settings(model=sentencepiece_encoder.model.name)
    put(settings.articles, {"fleet.jsonl": "\n".join(map(article, range(ARTICLES)))})
    return settings


def cut_off(settings: IndexSettings, encoder: Encoder, stage: str = "encoding", batches: int = 1) -> int:
    """Break a build off by Ctrl-C after some batches; return how many passages it had encoded."""
    steps: list[Progress] = []

    def interrupt(step: Progress) -> None:
        steps.append(step)
        if [one.stage for one in steps].count(stage) == batches:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(settings, interrupt, encoder)
    return max(step.done for step in steps if step.stage == "encoding")


CUT = """
import os, signal, sys
from index import Encoder, IndexSettings, build_index, find_model

def cut(step):
    if step.stage == "encoding":
        print(step.done, flush=True)
        if step.done:
            os.kill(os.getpid(), signal.SIGKILL)

places = {"articles": sys.argv[1], "index": sys.argv[2]}
build_index(IndexSettings.load(**places, model=sys.argv[3]), cut, Encoder(find_model(sys.argv[3])))
"""


def test_build_killed_while_it_encodes_goes_on_where_it_was(
    fleet: IndexSettings, sentencepiece_encoder: Encoder, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """By SIGKILL, in a process of its own; the index that comes of it is that of a build left alone."""
    killed = subprocess.run(
        [sys.executable, "-c", CUT, str(fleet.articles), str(fleet.index), fleet.model],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    encoded = int(killed.stdout.split()[-1])
    assert (fleet.index / KEPT).exists()
    steps: list[Progress] = []
    report = build_index(fleet, steps.append, sentencepiece_encoder)
    assert report.passages_resumed == encoded > 0
    assert {step.total for step in steps if step.stage == "encoding"} == {report.passages_encoded}
    assert f"resumed: {encoded} passages had been encoded before;" in report.summary()
    assert len(re.findall(r"\.\s|\.$", report.summary())) == 1, "one sentence"
    assert verify(fleet.index) == []
    assert not (fleet.index / KEPT).exists()
    other = make_settings(index=tmp_path / "other", model=fleet.model)
    alone = build_index(other, encoder=sentencepiece_encoder)
    assert alone.passages_resumed == 0
    assert report.passages_encoded == alone.passages_encoded - encoded > 0
    assert_same(fleet.index, other.index)


def test_what_a_cut_off_build_kept_is_no_damage(fleet: IndexSettings, sentencepiece_encoder: Encoder) -> None:
    put(fleet.articles, {"one.txt": "The first."})
    build_index(fleet, encoder=sentencepiece_encoder)
    put(fleet.articles, {"more.jsonl": "\n".join(map(article, range(ARTICLES, 2 * ARTICLES)))})
    encoded = cut_off(fleet, sentencepiece_encoder)
    assert verify(fleet.index) == []
    with (fleet.index / KEPT).open("ab") as file:
        file.write(b"torn")
    assert verify(fleet.index) == []
    assert build_index(fleet, encoder=sentencepiece_encoder).passages_resumed == encoded
    assert verify(fleet.index) == []


def test_build_cut_off_twice_loses_nothing(fleet: IndexSettings, sentencepiece_encoder: Encoder) -> None:
    """Also where it was at writing, when everything is encoded."""
    first = cut_off(fleet, sentencepiece_encoder)
    second = cut_off(fleet, sentencepiece_encoder, stage="writing")
    report = build_index(fleet, encoder=sentencepiece_encoder)
    assert (report.passages_resumed, report.passages_encoded) == (first + second, 0)
    assert report.encoded == ARTICLES


def test_kept_vectors_with_a_flipped_bit_are_encoded_again(
    fleet: IndexSettings, sentencepiece_encoder: Encoder, make_settings: MakeSettings, tmp_path: Path
) -> None:
    encoded = cut_off(fleet, sentencepiece_encoder)
    kept = fleet.index / KEPT
    harmed = bytearray(kept.read_bytes())
    harmed[len(harmed) // 2] ^= 4
    kept.write_bytes(harmed)
    report = build_index(fleet, encoder=sentencepiece_encoder)
    assert 0 < report.passages_resumed < encoded
    other = make_settings(index=tmp_path / "other", model=fleet.model)
    build_index(other, encoder=sentencepiece_encoder)
    assert_same(fleet.index, other.index)


def test_another_encoder_takes_nothing_from_what_was_kept(
    fleet: IndexSettings, sentencepiece_encoder: Encoder, make_settings: MakeSettings, static_encoder: Encoder
) -> None:
    assert cut_off(fleet, sentencepiece_encoder) > 0
    settings = make_settings(model=static_encoder.model.name)
    assert build_index(settings, encoder=static_encoder).passages_resumed == 0


def test_vectors_computed_in_another_way_are_not_mixed(
    fleet: IndexSettings, sentencepiece_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither those that were kept nor those of the generation before; unchanged, it goes on serving."""
    put(fleet.articles, {"fleet.jsonl": article(1)})
    build_index(fleet, encoder=sentencepiece_encoder)
    put(fleet.articles, {"more.jsonl": "\n".join(map(article, range(2, 4)))})
    assert cut_off(fleet, sentencepiece_encoder) > 0
    monkeypatch.setattr(sentencepiece_encoder, "producer", "0" * 64)
    report = build_index(fleet, encoder=sentencepiece_encoder)
    assert (report.passages_resumed, report.reused, report.encoded) == (0, 0, 3)
    assert "another way" in report.changes.everything
    monkeypatch.undo()
    assert not build_index(fleet, encoder=sentencepiece_encoder).changes.any


def test_kept_vectors_go_when_there_is_nothing_left_to_build(
    fleet: IndexSettings, sentencepiece_encoder: Encoder
) -> None:
    """Whoever takes the change back that was being built needs them no more."""
    build_index(fleet, encoder=sentencepiece_encoder)
    put(fleet.articles, {"more.jsonl": "\n".join(map(article, range(ARTICLES, 2 * ARTICLES)))})
    cut_off(fleet, sentencepiece_encoder)
    (fleet.articles / "more.jsonl").unlink()
    assert not build_index(fleet, encoder=sentencepiece_encoder).changes.any
    assert not (fleet.index / KEPT).exists()


def test_kept_vectors_that_no_article_needs_are_not_said_to_be_resumed(
    fleet: IndexSettings, sentencepiece_encoder: Encoder
) -> None:
    cut_off(fleet, sentencepiece_encoder)
    put(fleet.articles, {"fleet.jsonl": json.dumps({"id": "b", "title": "Kilns", "text": "Something else."})})
    report = build_index(fleet, encoder=sentencepiece_encoder)
    assert report.passages_resumed == 0
    assert "resumed" not in report.summary()
    assert len(generations(fleet.index)) == 1
    open_generation(fleet.index).close()
