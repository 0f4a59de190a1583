"""The store on Milvus, over one `milvus-lite server`: the contract, publishing, the lease, kills."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bot.service.service import Service
from bot.settings import BotSettings
from index.build import build_index, passage_settings
from index.encoding.encoder import Encoder
from index.errors import BusyError, DamagedIndexError, MissingError, NoIndexError, SettingsError
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.engine import engine_of
from index.storage.generations import publish
from index.storage.local import LocalStore, open_store
from index.storage.manifest import read_pointer
from index.storage.store import Store
from index.storage.writer import GenerationWriter
from tests.index.shelf import SHELF, put
from tests.index.storage.milvus_server import Server
from tests.index.storage.store_contract import LANGUAGE, PHRASES, Collection, StoreContract

pytest.importorskip("milvus_lite", reason="milvus-lite, which stands in for Milvus, is not installed")

from pymilvus import MilvusException

from index.storage.milvus import client as client_module
from index.storage.milvus import store as store_module
from index.storage.milvus.client import STRONG, Blobs, Client, connect, lease
from index.storage.milvus.copying import MilvusEngine
from index.storage.milvus.store import MilvusStore


@pytest.fixture(scope="module")
def local(
    encoder: Encoder, collection: Collection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalStore]:
    """Publish the collection in an index folder."""
    folder = tmp_path_factory.mktemp("local")
    with GenerationWriter(folder, encoder, collection.basis, passage_settings(LANGUAGE)) as writer:
        for entry in collection.entries:
            writer.add(entry.article, entry.abbreviations, entry.passages)
        publish(folder, writer.home, writer.finish(""))
    store = open_store(folder)
    yield store
    store.close()


@pytest.fixture(scope="module")
def shared(server: Server, local: LocalStore) -> Store:
    """Copy that generation to the server, and open it there."""
    engine = MilvusEngine(
        IndexSettings(index=local._database_path.parent.parent, store=server.store, collection="contract")
    )
    engine.publish(3, lambda done, total: None)
    return engine.open()


class TestMilvusStore(StoreContract):
    @pytest.fixture
    def store(self, shared: Store) -> Store:
        return shared


@pytest.mark.parametrize("headings", [True, False])
@pytest.mark.parametrize("article", [None, 0, 4])
def test_scores_of_words_are_those_of_the_local_store(
    local: LocalStore, shared: Store, headings: bool, article: int | None
) -> None:
    for phrases in ([phrase] for phrase in PHRASES):
        expected = local.best_in_words(phrases, 100, headings=headings, article=article)
        found = shared.best_in_words(phrases, 100, headings=headings, article=article)
        assert dict(found) == pytest.approx(dict(expected), rel=1e-5), phrases
    expected = local.best_in_words(PHRASES, 100, headings=headings, article=article)
    assert dict(shared.best_in_words(PHRASES, 100, headings=headings, article=article)) == pytest.approx(
        dict(expected), rel=1e-5
    )


# The collection on the server, as builders and bots use it


@pytest.fixture
def settings(
    server: Server, graph_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> BotSettings:
    """Make settings with articles, the encoder, and a collection of their own on the server."""
    put(tmp_path / "articles", SHELF)
    shutil.copytree(graph_folder, tmp_path / "index")
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    places = {"articles": tmp_path / "articles", "index": tmp_path / "index", "records": tmp_path / "records"}
    return BotSettings(**places, store=server.store, collection=name, keep=2, reader="none")


def _build(settings: BotSettings, encoder: Encoder, *more: str) -> str:
    """Add an article for each text, build, and return the generation."""
    for text in more:
        put(settings.articles, {f"{hashlib.sha256(text.encode()).hexdigest()[:6]}.txt": f"More\n\n{text}"})
    return build_index(settings, encoder=encoder).generation


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < until
        await asyncio.sleep(0.1)


async def test_bots_swap_to_what_is_published_rolled_back_and_kept(
    settings: BotSettings, encoder: Encoder
) -> None:
    first = await asyncio.to_thread(_build, settings, encoder)
    engine, bots = engine_of(settings), [Service(settings), Service(settings)]
    for bot in bots:
        await bot.start()

    async def serves(name: str) -> bool:
        return [(await bot.status()).generation for bot in bots] == [name, name]

    try:
        local = await asyncio.to_thread(open_store, settings.index)
        with closing(local):
            expected = Search(local, encoder)("Who kept the lamp?").hits
            found = Search(engine.open(), encoder)("Who kept the lamp?").hits
        assert [(hit.article, hit.text) for hit in found] == [(hit.article, hit.text) for hit in expected]
        second = await asyncio.to_thread(_build, settings, encoder, "The otter is called Marvin.")
        await _until(lambda: serves(second), 4)
        answers = [await bot.ask("What is the otter called?") for bot in bots]
        assert {answer.citations[0].passage for answer in answers} == {"The otter is called Marvin."}
        assert await asyncio.to_thread(engine.roll_back) == first
        await _until(lambda: serves(first), 4)
        third = await asyncio.to_thread(
            _build, settings, encoder
        )  # nothing changed, so it is published again
        assert third == second
        await _until(lambda: serves(second), 4)
        fourth = await asyncio.to_thread(_build, settings, encoder, "The heron is called Gladys.")
        await _until(lambda: serves(fourth), 4)
        rows = [(row.generation, str(row.state)) for row in await bots[0].history()]
        assert rows == [(fourth, "serving"), (second, "kept")]
        with pytest.raises(MissingError, match="000001"):
            engine.roll_back(first)
        assert engine.verify() == []
    finally:
        for bot in bots:
            await bot.close()


def test_second_builder_is_refused_until_the_lease_ends(settings: BotSettings, encoder: Encoder) -> None:
    client = connect(settings.store, None)
    with (
        lease(client, f"footnote_{settings.collection}"),
        pytest.raises(BusyError, match=f"process {os.getpid()}"),
    ):
        _build(settings, encoder)
    with pytest.raises(NoIndexError, match="index build"):
        engine_of(settings).serving()
    generation = read_pointer(settings.index)  # it was published here, and now it is there
    assert _build(settings, encoder) == engine_of(settings).serving() == generation


KILLED = """
import os, signal, sys
from index.settings import IndexSettings
from index.storage.engine import engine_of
from index.storage.milvus import client, copying

index, store, collection, owner, method, calls = sys.argv[1:]
owner, left = {"Client": client.Client, "MilvusEngine": copying.MilvusEngine}[owner], [int(calls)]
original = getattr(owner, method)

def killed(*arguments):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)

with client.lease(client.connect(store, None), "another"):  # so that its collection is there
    pass
client._LEASE_SECONDS = 20.0
setattr(owner, method, killed)
engine_of(IndexSettings(index=index, store=store, collection=collection)).publish(2, lambda *done: None)
"""


def test_killed_copier_leaves_the_serving_generation_and_the_next_build_cleans_up(
    settings: BotSettings, encoder: Encoder
) -> None:
    """Whether it had created one collection of two, or filled them, or had only the alias to move."""
    first = _build(settings, encoder)
    second = _build(settings.model_copy(update={"store": ""}), encoder, "The otter is called Marvin.")
    places, engine = [str(settings.index), settings.store, settings.collection], engine_of(settings)
    program = [sys.executable, "-P", "-c", KILLED, *places]
    for moment in (["Client", "create", "2"], ["Client", "index", "2"], ["MilvusEngine", "_point_at", "1"]):
        ended = subprocess.run([*program, *moment], check=False, capture_output=True)
        assert ended.returncode == -9, ended.stderr.decode()[-2_000:]
        assert engine.serving() == first
        complete = moment[1] == "_point_at"
        assert len(engine.history()) == 1 + complete
        assert [second.replace("-", "_") in line for line in engine.verify()] == [True] * (not complete)
        with pytest.raises(BusyError, match="process"):
            engine.roll_back()
        connect(settings.store, None).write("delete", client_module._LEASES, filter='claim != ""')
    assert _build(settings.model_copy(update={"keep": 1}), encoder) == engine.serving() == second
    assert engine.verify() == []
    assert [row.generation for row in engine.history()] == [second, first], "bots may read it until they swap"
    reader = engine.open()
    assert isinstance(reader, MilvusStore)
    connect(settings.store, None).write("drop_collection", f"{reader._prefix}_Blobs")
    with pytest.raises(DamagedIndexError, match="removed from Milvus"):
        reader.articles([0])
    with pytest.raises(DamagedIndexError, match="index build"):
        engine.status()
    assert engine.last_good().info.generation == first
    assert _build(settings, encoder) == engine.status().generation == second
    assert engine.prune(1) == [first]


def test_odd_articles_come_back(settings: BotSettings, encoder: Encoder) -> None:
    """A title and a word of more than a field of Milvus holds, in an article of several pieces."""
    letters = np.random.default_rng(0).choice([*string.ascii_letters, *string.digits], 70_000)
    long = "".join(letters)
    put(settings.articles, {"long.txt": f"Odd {long}\n\nThe {long} otter.\n"})
    _build(settings, encoder)
    store = engine_of(settings).open()
    with closing(open_store(settings.index)) as local:
        assert store.catalogue() == local.catalogue()
        rows = [summary.row for summary in local.catalogue()]
        assert store.articles(rows) == local.articles(rows)
        for row in rows:
            assert store.passages_of(row) == local.passages_of(row)
        assert store.passage_counts([["otter"]]) == local.passage_counts([["otter"]])


def test_nothing_is_missed_beyond_what_one_call_returns(
    shared: Store, local: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_MOST", 2)
    keys = [passage.key for passage in local.passages_of(0)]
    assert shared.passages_of(0) == local.passages_of(0)
    assert shared.rows_of_keys(keys).keys() == set(keys)
    vector = local.passage_vectors([0])[0]
    found, expected = (dict(store.nearest(vector, 100, article=0)) for store in (shared, local))
    assert found == pytest.approx(expected, abs=1e-5)
    monkeypatch.setattr(store_module, "_FEW", 0)
    assert shared.with_phrase("the", 3) == local.with_phrase("the", 3)


# The connection


@pytest.mark.parametrize("place", ["127.0.0.1:1", "127.0.0.1:99999", "no.such.host.invalid:1", "{}/nowhere"])
def test_wrong_place_is_told_in_a_line(server: Server, place: str) -> None:
    store = f"milvus+http://{place.format(f'127.0.0.1:{server.port}')}"
    settings = IndexSettings(store=store)
    begun = time.monotonic()
    with pytest.raises((BusyError, SettingsError), match=r"^[^\n]*FOOTNOTE_STORE[^\n]*$"):
        engine_of(settings).serving()
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    "store", ["milvus+http://user:secret@host:1/default", "milvus+http://host:x", "http://host:1", "host"]
)
def test_what_is_no_store_is_refused(store: str) -> None:
    with pytest.raises(SettingsError, match=r"FOOTNOTE_STORE|--store") as refused:
        IndexSettings.load(store=store)
    assert "secret" not in str(refused.value)


def test_token_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FOOTNOTE_STORE_TOKEN_FILE"):
        engine_of(IndexSettings(store="milvus+http://127.0.0.1:1", store_token_file=tmp_path / "none"))


def test_alias_that_milvus_does_not_know_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """Milvus has a code of its own for it, and Lite that of a collection."""
    created = []

    class Aliases:
        def alter_alias(self, *_: str, **options: object) -> None:
            raise MilvusException(code=1600, message="alias not found")

        def create_alias(self, *names: str, **options: object) -> None:
            created.append(names)

        describe_alias = alter_alias

    engine = MilvusEngine(IndexSettings(store="milvus+http://127.0.0.1:1/aliases"))
    monkeypatch.setattr(engine._client, "_client", Aliases())
    with pytest.raises(NoIndexError, match="index build"):
        engine.serving()
    engine._point_at("000001-0123456789abcdef")
    assert created == [("footnote_default_000001_0123456789abcdef_Passages", "footnote_default")]


def test_shared_collection_without_index_is_completed(server: Server) -> None:
    """As a machine leaves it that is killed between the two."""
    client = connect(server.store, None)
    client.create("footnote_Half", Blobs.FIELDS)
    client.ensure("footnote_Half", Blobs.FIELDS)
    blobs = Blobs(client, "footnote_Half")
    blobs.put([("a/1", b""), ("a/2", bytes(range(256)) * 1_000)])
    assert blobs.get(["a/1", "a/2", "a/3", "a"], **STRONG) == {"a/1": b"", "a/2": bytes(range(256)) * 1_000}


def test_lease_that_ran_out_is_not_published_with(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(server.store, None)
    monkeypatch.setattr(client_module, "_LEASE_SECONDS", 15.5)
    with lease(client, "ran-out") as check:
        check()
        time.sleep(0.6)
        with pytest.raises(BusyError, match="ran out"):
            check()
    monkeypatch.setattr(client_module, "_LEASE_SECONDS", 0.2)
    with lease(client, "ran-out"), pytest.raises(BusyError, match="process"), lease(client, "ran-out"):
        pass
    with lease(client, "ran-out"), lease(client, "another"):
        time.sleep(0.3)
        with lease(client, "ran-out"):
            rows = list(client.rows(client_module._LEASES, 'name == "ran-out"', ["claim"], **STRONG))
            assert len(rows) == 1, "the one that ended is removed"


def test_names_in_milvus_are_of_one_collection() -> None:
    """Whatever Footnote's collections are called."""
    engines = [
        MilvusEngine(IndexSettings(store="milvus+http://127.0.0.1:1", collection=name))
        for name in ("a", "a-vectors", "leases", "a-000001-0123456789abcdef", "a-b")
    ]
    aliases = [engine._alias for engine in engines]
    assert len(set(aliases)) == len(aliases)
    for engine in engines:
        names = [f"{alias}_000001_0123456789abcdef_Blobs" for alias in aliases]
        assert [bool(engine._pattern.fullmatch(name)) for name in names] == [
            alias == engine._alias for alias in aliases
        ]
        assert not any(map(engine._pattern.fullmatch, aliases))


async def test_bot_survives_a_kill_and_a_standstill_of_the_server(
    settings: BotSettings, encoder: Encoder, server: Server
) -> None:
    await asyncio.to_thread(_build, settings, encoder, "The otter is called Marvin.")
    bot = Service(settings)
    await bot.start()

    async def answers() -> bool:
        try:
            answer = await bot.ask("What is the otter called?")
        except BusyError:
            return False
        return answer.citations[0].passage == "The otter is called Marvin."

    try:
        assert await answers()
        server.kill()
        with pytest.raises(BusyError, match=r"Milvus at .* does not answer: [^\n]+$"):
            await bot.ask("What is the otter called?")
        await asyncio.sleep(2.5)  # it looks for another generation meanwhile
        assert not await answers()
        await asyncio.to_thread(server.start)
        await _until(answers, 20)
        assert server.process
        server.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        new = asyncio.to_thread(Client(server.store, "another:connection").read, "list_collections")
        outcomes: list[object] = await asyncio.gather(new, answers(), return_exceptions=True)
        assert (type(outcomes[0]), outcomes[1]) == (BusyError, False)
        assert time.monotonic() - begun < 8
        server.process.send_signal(signal.SIGCONT)
        await _until(answers, 20)
        assert bot.damage is None
    finally:
        await bot.close()
