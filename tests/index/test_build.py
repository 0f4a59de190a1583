"""Builds: what is encoded and what is reused, what interrupts or refuses them, and what that leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index.articles.formats import read_articles
from index.build import build_index, plan_build
from index.encoding.encoder import Encoder
from index.errors import (
    ArticleError,
    BusyError,
    DamagedIndexError,
    FootnoteError,
    GateError,
    MissingError,
    NotWritableError,
    OutOfMemoryError,
    ShrunkError,
)
from index.progress import Progress
from index.settings import IndexSettings
from index.storage.database import DATABASE
from index.storage.gate import GATE_REPORT, GateReport, Gold
from index.storage.inspection import generation_homes, generation_number, verify
from index.storage.local import TOKENS, open_store
from index.storage.lock import locked
from index.storage.manifest import POINTER, REFUSED, read_pointer
from index.storage.store import Store
from index.storage.vector_cache import CACHE
from tests.conftest import MakeSettings
from tests.graphs import lend_graph
from tests.index.shelf import SHELF, build_shelf, contents, put, serving_home
from tests.index.storage.copies import forge
from tests.index.storage.test_files import files_no_larger_than

ROOT = Path(__file__).parents[2]
KILN = {"kiln.txt": "The kiln was lit in May."}


@pytest.fixture
def settings(make_settings: MakeSettings, graph_folder: Path) -> IndexSettings:
    """Give settings with an empty index folder that has the encoder's export."""
    settings = make_settings()
    lend_graph(graph_folder, settings.index)
    return settings


@pytest.fixture
def built(settings: IndexSettings, encoder: Encoder) -> IndexSettings:
    """Give settings with the shelf built."""
    build_shelf(settings, encoder)
    return settings


def assert_same(one: Path, other: Path) -> None:
    """Compare two indexes: the same articles, passages and words, and vectors equal but for rounding."""
    with closing(open_store(one)) as a, closing(open_store(other)) as b:
        assert a.catalogue() == b.catalogue()
        rows = range(a.info.passages)
        assert a.passages(rows) == b.passages(rows)
        assert a.articles(range(a.info.articles)) == b.articles(range(a.info.articles))
        assert (a.vocabulary(), a.abbreviations()) == (b.vocabulary(), b.abbreviations())
        np.testing.assert_allclose(a.passage_vectors(rows), b.passage_vectors(rows), rtol=0, atol=1e-5)
        tokens = [store.token_vectors(store.passages(rows)).astype(int) for store in (a, b)]
        np.testing.assert_allclose(*tokens, rtol=0, atol=1)


def assert_same_as_a_new_one(settings: IndexSettings, encoder: Encoder) -> None:
    """Compare an index with one built from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        new = settings.model_copy(update={"index": Path(folder, "index")})
        build_index(new, encoder=encoder)
        assert_same(settings.index, new.index)


# What is encoded


def test_first_build_indexes_every_article(settings: IndexSettings, encoder: Encoder) -> None:
    steps: list[Progress] = []
    put(settings.articles, {**SHELF, "questions.jsonl": '{"question": "Why?"}'})
    report = build_index(settings, steps.append, encoder)
    assert set(report.changes.added) == {"lighthouse", "bakery", "tram", "canal", "orchard"}
    assert (report.articles, report.encoded, report.reused) == (5, 5, 0)
    assert report.passages_encoded == report.passages
    assert "5 articles encoded, 0 reused" in report.summary()
    assert "questions.jsonl" in report.changes.notes[0]
    assert [step.stage for step in steps if step.done == step.total] == ["reading", "encoding", "writing"]
    with closing(open_store(settings.index)) as store:
        assert store.articles(range(5)) == list(read_articles(settings.articles).articles)
        assert (store.info.generation, store.info.passages) == (report.generation, report.passages)
    assert verify(settings.index) == []


@dataclass(frozen=True)
class Edit:
    """What is done to the shelf, and what the next build reports of it; a file of None is removed."""

    files: dict[str, str | None]
    added: str = ""
    changed: str = ""
    removed: str = ""
    passages_encoded: int = 0


EDITS = {
    "add": Edit(KILN, added="kiln", passages_encoded=1),
    "change": Edit({"bakery.md": SHELF["bakery.md"] + "\nIt shuts."}, changed="bakery", passages_encoded=1),
    "remove": Edit({"tram.md": None}, removed="tram"),
    "rename": Edit({"tram.md": None, "line.md": SHELF["tram.md"]}, added="line", removed="tram"),
    "copy": Edit({"again.md": SHELF["tram.md"]}, added="again"),
    "reorder": Edit({"more/canal.jsonl": "\n".join(reversed(SHELF["more/canal.jsonl"].splitlines()))}),
    "all": Edit({**KILN, "tram.md": None, "bakery.md": "An oven.\n"}, "kiln", "bakery", "tram", 2),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_only_what_is_new_is_encoded(built: IndexSettings, encoder: Encoder, edit: Edit) -> None:
    for name, text in edit.files.items():
        (built.articles / name).unlink(missing_ok=True)
        put(built.articles, {} if text is None else {name: text})
    plan = plan_build(built)
    report = build_index(built, encoder=encoder)
    assert report.changes == plan
    assert (plan.added, plan.changed, plan.removed) == (
        tuple(edit.added.split()), tuple(edit.changed.split()), tuple(edit.removed.split()),
    )  # fmt: skip
    assert report.passages_encoded == edit.passages_encoded
    assert plan.any == (edit.files != EDITS["reorder"].files)
    assert verify(built.index) == []
    if plan.any:
        assert_same_as_a_new_one(built, encoder)


PARAGRAPHS = st.sampled_from(
    [
        "The Harbour Pilots Guild (HPG) met in May.",
        "Snow. Rain.",
        "Café Ünal (CU) sells éclairs.",
        "- one\n- two",
    ]
)
ARTICLES = st.tuples(st.sampled_from(["Boats", "Ice. Snow"]), st.lists(PARAGRAPHS, min_size=1, max_size=4))
SHELVES = st.dictionaries(st.sampled_from("abcd"), ARTICLES, min_size=1)


@hypothesis_settings(max_examples=12)
@given(states=st.lists(SHELVES, min_size=2, max_size=3))
def test_any_sequence_of_edits_ends_in_the_index_of_a_new_build_and_encodes_nothing_twice(
    encoder: Encoder, graph_folder: Path, states: list[dict[str, tuple[str, list[str]]]]
) -> None:
    """Articles come, go, change, and trade ids, places, titles and paragraphs."""
    with tempfile.TemporaryDirectory() as folder:
        settings = IndexSettings.load(articles=Path(folder, "a.jsonl"), index=Path(folder, "index"), shrink=1)
        lend_graph(graph_folder, settings.index)
        known: set[bytes] = set()
        for state in states:
            rows = [
                json.dumps({"id": name, "title": title, "text": "\n\n".join(paragraphs)})
                for name, (title, paragraphs) in sorted(state.items())
            ]
            settings.articles.write_text("\n".join(rows), encoding="utf-8")
            report = build_index(settings, encoder=encoder)
            with closing(open_store(settings.index)) as store:
                keys = {passage.key for passage in store.passages(range(store.info.passages))}
            assert report.passages_encoded == len(keys - known)
            known = keys
        assert_same_as_a_new_one(settings, encoder)


_opened: list[str] | None = None
"""Paths that are opened, while a test records them; an audit hook cannot be removed again."""


def _record_opening(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


def test_build_without_changes_writes_nothing_and_reads_no_other_generation(
    built: IndexSettings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(built.articles, KILN)
    build_index(built, encoder=encoder)
    new, old = (home.name for home in generation_homes(built.index))
    files = [path for path in built.index.rglob("*") if path.name != "lock"]
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    sys.addaudithook(_record_opening)
    monkeypatch.setitem(globals(), "_opened", opened := [])
    report = build_index(built)
    assert any(new in path for path in opened)
    assert not any(old in path for path in opened)
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    assert (report.generation, report.reused, report.encoded, report.changes.any) == (new, 6, 0, False)
    assert report.summary().startswith("Nothing has changed")


def test_plan_changes_nothing(settings: IndexSettings, encoder: Encoder) -> None:
    put(settings.articles, SHELF)
    before = contents(settings.index)
    assert len(plan_build(settings).added) == 5
    assert contents(settings.index) == before
    build_index(settings, encoder=encoder)
    before = contents(settings.index)
    put(settings.articles, KILN)
    assert plan_build(settings).added == ("kiln",)
    assert contents(settings.index) == before


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"encoder_fingerprint": "0" * 64}, "the encoder is now all-MiniLM-L6-v2"),
        ({"passage_settings": {"language": "es"}}, "passages are now made in another way"),
        ({"producer": "0" * 64}, "vectors are now computed in another way"),
        ({"format": 4}, "the previous index cannot be used: .*manifest.json has format 4"),
        ({"tokens": 3}, "the previous index cannot be used: .*cannot be opened"),
    ],
)
def test_everything_is_encoded_anew_where_the_previous_vectors_do_not_fit(
    built: IndexSettings, encoder: Encoder, forged: dict[str, object], reason: str
) -> None:
    forge(built.index, **forged)
    put(built.articles, KILN)
    report = build_index(built, encoder=encoder)
    assert (report.encoded, report.reused) == (6, 0)
    assert re.match(reason, report.changes.everything)
    assert_same_as_a_new_one(built, encoder)


@pytest.mark.parametrize("name", [DATABASE, TOKENS, POINTER])
def test_damaged_previous_generation_is_replaced_and_the_reason_told(
    built: IndexSettings, encoder: Encoder, name: str
) -> None:
    """Found at the beginning, or for lack of a better time when its vectors are read."""
    path = built.index / name if name == POINTER else serving_home(built.index) / name
    whole = path.read_bytes()

    def build(progress: Callable[[Progress], None]) -> None:
        report = build_index(built, progress, encoder)
        assert report.changes.everything.startswith(f"the previous index cannot be used: {path} is damaged")
        assert (report.encoded, report.reused) == (report.articles, 0)
        assert_same_as_a_new_one(built, encoder)

    path.write_bytes(whole[:64])
    build(lambda progress: None)
    if name != POINTER:
        put(built.articles, KILN)
        path = serving_home(built.index) / name
        build(lambda progress: os.truncate(path, 64) if progress.stage == "encoding" else None)


# What interrupts a build


@pytest.mark.parametrize("stage", ["reading", "encoding", "writing"])
def test_interrupted_build_leaves_what_served_and_the_next_one_resumes(
    built: IndexSettings, encoder: Encoder, stage: str
) -> None:
    before = contents(built.index)
    put(built.articles, KILN)

    def interrupt(progress: Progress) -> None:
        if progress.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(built, interrupt, encoder)
    left = contents(built.index)
    left.pop(CACHE, None)
    assert left == before
    assert verify(built.index) == []
    put(built.articles, {"more.txt": "More of it."})
    report = build_index(built, encoder=encoder)
    resumed = 0 if stage == "reading" else 1
    assert (report.passages_resumed, report.passages_encoded) == (resumed, 2 - resumed)
    assert ("resumed: 1 passage had been encoded before;" in report.summary()) == bool(resumed)
    assert not (built.index / CACHE).exists()
    assert_same_as_a_new_one(built, encoder)


KILL = """
import os, signal, sys
from index.build import build_index
from index.settings import IndexSettings

def kill(progress):
    if progress.stage == "encoding":
        print(progress.done, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

build_index(IndexSettings.load(articles=sys.argv[1], index=sys.argv[2]), kill)
"""


def test_killed_build_resumes_where_it_was(settings: IndexSettings, encoder: Encoder) -> None:
    put(settings.articles, SHELF)
    command = [sys.executable, "-c", KILL, str(settings.articles), str(settings.index)]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    put(settings.articles, KILN)
    report = build_index(settings, encoder=encoder)
    assert report.passages_resumed == int(killed.stdout)
    assert report.passages_encoded == report.passages - report.passages_resumed == 1
    assert verify(settings.index) == []
    assert_same_as_a_new_one(settings, encoder)


@pytest.mark.parametrize("what", ["another producer", "damaged", "nothing left to do"])
def test_vectors_in_the_cache_that_do_not_fit_are_dropped(
    built: IndexSettings, encoder: Encoder, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(built.articles, KILN)

    def interrupt(progress: Progress) -> None:
        if progress.stage == "writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(built, interrupt, encoder)
    if what == "another producer":
        monkeypatch.setattr(encoder, "producer", "0" * 64)
    elif what == "damaged":
        (built.index / CACHE).write_bytes(b"\xa5" * 9_000)
    else:
        (built.articles / "kiln.txt").unlink()
    report = build_index(built, encoder=encoder)
    assert report.passages_resumed == 0
    assert report.changes.any == (what != "nothing left to do")
    assert not (built.index / CACHE).exists()


def exhaust_numpy() -> None:
    np.empty(1 << 60, dtype=np.uint8)


def exhaust_faiss() -> None:
    faiss.Float32Vector().resize(1 << 57)


def exhaust_onnxruntime() -> None:
    raise RuntimeError("Failed to allocate memory for requested buffer of size 393216000")


@pytest.mark.parametrize("exhaust", [exhaust_numpy, exhaust_faiss, exhaust_onnxruntime])
def test_lack_of_memory_is_reported_as_such(
    built: IndexSettings, encoder: Encoder, exhaust: Callable[[], None]
) -> None:
    put(built.articles, KILN)
    before = read_pointer(built.index)
    with pytest.raises(OutOfMemoryError, match="previous index keeps serving"):
        build_index(built, lambda progress: exhaust(), encoder)
    assert read_pointer(built.index) == before
    with pytest.raises(ZeroDivisionError):
        build_index(built, lambda progress: float(1 / 0), encoder)


# What refuses a build


def full_disk(settings: IndexSettings) -> AbstractContextManager[None]:
    return files_no_larger_than(20_000)


def folder_in_place_of_the_lock(settings: IndexSettings) -> AbstractContextManager[None]:
    (settings.index / "lock").unlink()
    (settings.index / "lock").mkdir()
    return nullcontext()


def bad_article(settings: IndexSettings) -> AbstractContextManager[None]:
    put(settings.articles, {"bad.txt": b"\xff"})
    return nullcontext()


def no_articles(settings: IndexSettings) -> AbstractContextManager[None]:
    shutil.rmtree(settings.articles)
    return nullcontext()


def fewer_articles(settings: IndexSettings) -> AbstractContextManager[None]:
    shutil.rmtree(settings.articles / "more")
    (settings.articles / "tram.md").unlink()
    (settings.articles / "bakery.md").unlink()
    return nullcontext()


@contextmanager
def read_only_disk(settings: IndexSettings) -> Iterator[None]:
    """Mount the index read-only, where that is allowed; it can still be searched."""
    place = str(settings.index)
    mount = ["mount", "-o", "bind,ro", place, place]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        with closing(open_store(settings.index)) as store:
            assert store.best_in_words(["lighthouse"], 1)
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def other_build(settings: IndexSettings) -> AbstractContextManager[None]:
    return locked(settings.index)


@pytest.mark.parametrize(
    ("obstacle", "error", "told"),
    [
        (full_disk, NotWritableError, "Free some space or give access to it; the previous index is unchanged"),
        (folder_in_place_of_the_lock, NotWritableError, "Is a directory"),
        (read_only_disk, NotWritableError, "Read-only file system"),
        (bad_article, ArticleError, r"bad\.txt, line 1: "),
        (no_articles, MissingError, "no articles at .*--articles"),
        (fewer_articles, ShrunkError, "there are 2 articles .* holds 5: .*FOOTNOTE_SHRINK.*--force"),
        (other_build, BusyError, f"process {os.getpid()}, since"),
    ],
)  # fmt: skip
def test_refused_build_says_why_and_leaves_the_index_untouched(
    built: IndexSettings,
    encoder: Encoder,
    obstacle: Callable[[IndexSettings], AbstractContextManager[None]],
    error: type[FootnoteError],
    told: str,
) -> None:
    put(built.articles, KILN)
    before = contents(built.index)
    with obstacle(built), pytest.raises(error, match=told):
        build_index(built, encoder=encoder)
    left = contents(built.index)
    assert {name: data for name, data in left.items() if not name.startswith(CACHE)} == before


def test_fewer_articles_are_accepted_by_force_or_by_the_setting(
    built: IndexSettings, make_settings: MakeSettings, encoder: Encoder
) -> None:
    put(built.articles, KILN)
    build_index(built, encoder=encoder)
    fewer_articles(built)
    assert plan_build(built).shrunk == pytest.approx(4 / 6)
    for settings, force in ((make_settings(shrink=0.7), False), (built, True)):
        assert build_index(settings, encoder=encoder, force=force).articles == 2
        put(built.articles, SHELF)
        build_index(settings, encoder=encoder)
        fewer_articles(built)


def test_refused_first_build_leaves_no_index_behind(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    put(settings.articles, {"bad.txt": b""})
    with pytest.raises(ArticleError):
        build_index(settings, encoder=encoder)
    assert not settings.index.exists()


class AskingGate:
    """Looks a word up in the new generation; refuses, accepts, or meets damage."""

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict
        self.asked: list[tuple[int, int | None]] = []

    def note(self) -> str:
        return "one word"

    def __call__(self, new: Store, old: Store | None, progress: Callable[[Progress], None]) -> GateReport:
        self.asked.append((len(new.with_phrase("kiln", 9)), old and len(old.with_phrase("kiln", 9))))
        progress(Progress("asking", 1, 1))
        if self.verdict == "damage":
            raise DamagedIndexError("a file is damaged")
        lost = ("q1",) if self.verdict == "refuse" else ()
        return GateReport(Gold(1, 1 - len(lost), lost), "1 question lost." if lost else "", {"lost": ["q1"]})


def test_gate_sees_both_generations_before_the_new_one_is_published(
    built: IndexSettings, encoder: Encoder
) -> None:
    before = read_pointer(built.index)
    put(built.articles, KILN)
    for verdict, told in (
        ("refuse", f"(?s)1 question lost.*previous.*{GATE_REPORT}"),
        ("damage", "could not be asked"),
    ):
        gate = AskingGate(verdict)
        with pytest.raises(GateError, match=told):
            build_index(built, encoder=encoder, gate=gate)
        assert gate.asked == [(1, 0)]
        assert read_pointer(built.index) == before
    assert len(list(built.index.glob(f"{REFUSED}*/{GATE_REPORT}"))) == 1
    report = build_index(built, encoder=encoder, gate=AskingGate("accept"))
    assert report.gold == Gold(1, 1)
    assert report.summary().endswith("1 of 1 gold questions answered.")
    assert report.passages_encoded == 0, "what the refused builds encoded is kept"
    assert generation_number(report.generation) == 3
    assert verify(built.index) == []


# What is kept


@pytest.mark.parametrize("keep", [1, 2])
def test_as_many_generations_are_kept_as_the_setting_says_and_nothing_of_others_is_touched(
    built: IndexSettings, make_settings: MakeSettings, encoder: Encoder, keep: int
) -> None:
    others = {"2023-photos/a.txt": b"mine", "1st-draft/c.txt": b"mine", "000001-notes/d.txt": b"mine"}
    put(built.index, others)
    made = [
        build_index(make_settings(keep=keep), encoder=encoder).generation
        for number in range(3)
        if put(built.articles, {"kiln.txt": f"The kiln was lit {number} times."})
    ]
    assert [home.name for home in generation_homes(built.index)] == made[::-1][:keep]
    assert contents(built.index).items() >= others.items()


def test_one_file_may_be_the_articles_and_a_folder_have_any_name(
    make_settings: MakeSettings, encoder: Encoder, tmp_path: Path
) -> None:
    file = put(tmp_path, {"only.txt": "The only article."}) / "only.txt"
    settings = make_settings(articles=file, index=tmp_path / "in dex?x=1#é%20" / "index")
    assert build_index(settings, encoder=encoder).changes.added == ("only",)
    with closing(open_store(settings.index)) as store:
        assert store.article_row("only") == 0
