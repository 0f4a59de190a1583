"""Encoding on several machines: four processes over one `milvus-lite server`, and who publishes."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bot.cli import footnote
from index.build import build_index
from index.build_shard import encode_shard, publish_shards
from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.errors import SettingsError
from index.settings import DEFAULT_MODEL, IndexSettings
from index.storage.engine import engine_of
from index.storage.local import open_store
from tests.index.shelf import HANDBOOK, HARBOUR, SHELF, put
from tests.index.storage.milvus_server import Server
from tests.index.storage.store_contract import Collection

pytest.importorskip("milvus_lite", reason="milvus-lite, which stands in for Milvus, is not installed")

from index.storage.milvus.client import connect
from index.storage.milvus.shards import SharedVectors

MakeShared = Callable[..., IndexSettings]


@pytest.fixture
def make_shared(server: Server, tmp_path: Path) -> MakeShared:
    """Make settings of a machine that shares a collection with others; each machine has an index folder."""

    def make(collection: str, machine: str = "builder") -> IndexSettings:
        articles, index = tmp_path / "articles", tmp_path / machine
        return IndexSettings(articles=articles, index=index, store=server.store, collection=collection)

    return make


def shared_collections(settings: IndexSettings) -> list[str]:
    """Return the collections that hold shared vectors."""
    names = connect(settings.store, None).read("list_collections")
    return [name for name in names if name.startswith(f"footnote_{settings.collection}_Vectors_")]


def quiet(*_: object) -> None:
    """Ignore progress."""


def test_four_processes_encode_an_index_that_one_publishes(make_shared: MakeShared, tmp_path: Path) -> None:
    """They share the vectors of a build on one machine; nothing is encoded twice, and nothing is left."""
    settings = make_shared("four")
    put(settings.articles, {**SHELF, **HARBOUR, **HANDBOOK})
    names = {"articles": settings.articles, "store": settings.store}
    options = [f"--{name}={value}" for name, value in names.items()]
    (tmp_path / "collections.toml").write_text(f'[four]\narticles = "{settings.articles}"\n', "utf-8")
    command = [sys.executable, "-P", "-m", "bot.cli", "--collection=four", "index", "build"]
    machines = [
        subprocess.Popen(
            [*command, *options, f"--index={tmp_path / str(number)}", f"--shard={number}/4", "--json"],
            stdout=subprocess.PIPE,
        )
        for number in range(1, 5)
    ]
    outputs = [machine.communicate(timeout=60)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0] * 4
    reports = [json.loads(output.splitlines()[-1])["shard"] for output in outputs]
    assert all(report["encoded"] and not report["before"] for report in reports)
    assert not any((tmp_path / str(number) / "CURRENT").exists() for number in range(1, 5))

    report = publish_shards(settings, quiet, gate=None, force=False, strict=True)
    assert report.passages_encoded == 0
    assert report.passages_resumed == sum(report["encoded"] for report in reports)
    assert engine_of(settings).serving() == report.generation
    assert shared_collections(settings) == []
    alone = settings.model_copy(update={"index": tmp_path / "alone", "store": ""})
    build_index(alone, quiet)
    with closing(open_store(settings.index)) as together, closing(open_store(alone.index)) as expected:
        rows = range(expected.info.passages)
        assert together.passages(rows) == expected.passages(rows)
        vectors = together.passage_vectors(rows), expected.passage_vectors(rows)
        np.testing.assert_allclose(*vectors, atol=1e-5)
        tokens = [one.token_vectors(one.passages(rows)) for one in (together, expected)]
        assert (tokens[0] == tokens[1]).mean() > 0.95, "rounding of vectors computed in other batches"


def test_only_what_nobody_has_is_encoded(make_shared: MakeShared) -> None:
    """Neither what serves, nor what a share has already; a publisher encodes what no machine did."""
    settings, other = make_shared("missing"), make_shared("missing", "other")
    put(settings.articles, SHELF)
    first = encode_shard(other, 1, 2, quiet)
    again = encode_shard(make_shared("missing", "third"), 1, 2, quiet)
    assert (again.encoded, again.before) == (0, first.encoded)
    report = publish_shards(settings, quiet, gate=None, force=False, strict=False)
    assert (report.passages_resumed, report.passages_encoded > 0) == (first.encoded, True)
    put(settings.articles, {"new.txt": "A new pier\n\nIt was built of oak. Nobody had asked for it.\n"})
    new = [encode_shard(other, number, 2, quiet) for number in (1, 2)]
    assert sum(one.encoded for one in new) == 2, "the heading and the text"
    publish_shards(settings, quiet, gate=None, force=False, strict=False)
    assert encode_shard(other, 1, 1, quiet).encoded == 0


def test_other_encoder_is_refused(make_shared: MakeShared, encoder: Encoder, collection: Collection) -> None:
    settings, model = make_shared("encoders"), find_model(DEFAULT_MODEL)
    other = dataclasses.replace(model, fingerprint="0" * 64)
    (_, _, key, vectors), *_ = collection.rows
    SharedVectors(settings, model, encoder.basis).add([(key, vectors)])
    for made in ((other, encoder.basis), (model, -encoder.basis)):
        with pytest.raises(SettingsError, match="another encoder"):
            SharedVectors(settings, *made)
    assert SharedVectors(settings, other, encoder.basis, force=True).present([key]) == set()
    SharedVectors.drop(settings)
    assert SharedVectors(settings, other, encoder.basis).present([key]) == set()


def test_vectors_come_back_as_they_were_and_half_ones_not_at_all(
    make_shared: MakeShared, encoder: Encoder, collection: Collection
) -> None:
    settings = make_shared("pieces")
    shared = SharedVectors(settings, find_model(DEFAULT_MODEL), encoder.basis)
    rows = {key: vectors for _, _, key, vectors in collection.rows}
    noise = np.random.default_rng(0).integers(0, 1 << 16, (1200, 32), np.uint16)
    long = dataclasses.replace(next(iter(rows.values())), tokens=noise)
    rows |= {b"long" * 4: long}
    shared.add(rows.items())
    found = dict(vectors for batch in shared.read([*rows, b"missing!" * 2]) for vectors in batch)
    assert found.keys() == rows.keys() == shared.present([*rows, b"missing!" * 2])
    for key, vectors in rows.items():
        assert found[key].token_counts == vectors.token_counts
        np.testing.assert_array_equal(found[key].dense, vectors.dense)
        np.testing.assert_array_equal(found[key].tokens, vectors.tokens)
    (name,) = shared_collections(settings)
    connect(settings.store, None).write("delete", name, ids=[f"{(b'long' * 4).hex()}:1"])
    assert list(shared.read([b"long" * 4])) == [[]]


@pytest.mark.parametrize("shard", ["", "0/4", "5/4", "4", "1/0", "-1/4", "a/b"])
def test_shard_that_is_none_is_a_usage_error(shard: str) -> None:
    result = CliRunner().invoke(footnote, ["index", "build", "--shard", shard])
    assert (result.exit_code, bool(re.search("write K/N", result.output))) == (2, True)


def test_shares_need_a_store(tmp_path: Path) -> None:
    settings = IndexSettings(articles=tmp_path, index=tmp_path / "index")
    with pytest.raises(SettingsError, match="FOOTNOTE_STORE"):
        encode_shard(settings, 1, 2, quiet)
