"""Builds: what is encoded and what is reused, what interrupts or refuses them, and what that leaves."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from index import errors
from index.articles.formats import read_articles
from index.build import build_index, plan_build
from index.build_report import GateReport, Gold, Progress
from index.encoding.encoder import Encoder
from index.settings import IndexSettings
from index.storage.database import DATABASE
from index.storage.inspection import generation_homes, generation_number, verify
from index.storage.local import TOKENS, open_store
from index.storage.manifest import GATE_REPORT, POINTER, REFUSED, read_pointer
from index.storage.store import Store
from index.storage.vector_cache import CACHE
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, contents, put, serving_home
from tests.index.storage.copies import forge

KILN = {"kiln.txt": "The kiln was lit in May."}


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> IndexSettings:
    """Give settings with an index folder of an odd name; nothing is built."""
    return make_settings(index=tmp_path / "in dex?x=1#é%20")


@pytest.fixture
def built(own_index: Path, make_settings: MakeSettings) -> IndexSettings:
    """Give settings with a copy of the index of both shelves, 11 articles."""
    return make_settings(index=own_index)


def assert_like_new(settings: IndexSettings, encoder: Encoder) -> None:
    """Compare an index with one built from nothing; vectors may differ by rounding."""
    with tempfile.TemporaryDirectory() as folder:
        new = settings.model_copy(update={"index": Path(folder, "index")})
        build_index(new, encoder=encoder)
        with closing(open_store(settings.index)) as a, closing(open_store(new.index)) as b:
            rows = range(a.info.passages)
            assert (a.catalogue(), a.passages(rows)) == (b.catalogue(), b.passages(rows))
            assert (a.vocabulary(), a.abbreviations()) == (b.vocabulary(), b.abbreviations())
            np.testing.assert_allclose(a.passage_vectors(rows), b.passage_vectors(rows), rtol=0, atol=1e-5)
            tokens, others = (store.token_vectors(store.passages(rows)).astype(int) for store in (a, b))
            np.testing.assert_allclose(tokens, others, rtol=0, atol=1)


def interrupt_at(stage: str, settings: IndexSettings, encoder: Encoder) -> None:
    """Break a build off by Ctrl-C at a stage."""

    def interrupt(progress: Progress) -> None:
        if progress.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(settings, interrupt, encoder)


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


def test_plan_tells_what_a_build_does_and_changes_nothing(built: IndexSettings, encoder: Encoder) -> None:
    put(
        built.articles, {**KILN, "bakery.md": SHELF["bakery.md"] + "\nIt shuts.", "line.md": SHELF["tram.md"]}
    )
    (built.articles / "tram.md").unlink()
    before = contents(built.index)
    plan = plan_build(built)
    assert contents(built.index) == before
    assert (plan.added, plan.changed, plan.removed) == (("kiln", "line"), ("bakery",), ("tram",))
    report = build_index(built, encoder=encoder)
    assert (report.changes, report.reused, report.encoded, report.passages_encoded) == (plan, 10, 2, 2)
    assert verify(built.index) == []
    assert_like_new(built, encoder)


PARAGRAPHS = (
    "The Tide Board (TB) met in May.",
    "Snow. Rain.",
    "Café Ünal (CÜ) sells éclairs.",
    "Bring these:\n\n- one\n- two",
    "The mill",
    "Q: Is it open?\nA: On Mondays.",
)
ARTICLES = st.tuples(
    st.sampled_from(["Boats", "Ice. Snow"]), st.lists(st.sampled_from(PARAGRAPHS), min_size=1)
)
SHELVES = st.dictionaries(st.sampled_from("abcd"), ARTICLES, min_size=1)


@hypothesis_settings(max_examples=6)
@given(shelves=st.lists(SHELVES, min_size=2, max_size=3))
def test_any_edits_end_in_the_index_of_a_new_build(
    encoder: Encoder, shelves: list[dict[str, tuple[str, list[str]]]]
) -> None:
    """Articles come, go, change, and trade ids, titles and paragraphs."""
    with tempfile.TemporaryDirectory() as folder:
        settings = IndexSettings.load(articles=Path(folder, "a.jsonl"), index=Path(folder, "index"), shrink=1)
        known: set[bytes] = set()
        for shelf in shelves:
            rows = [
                json.dumps({"id": name, "title": title, "text": "\n\n".join(paragraphs)})
                for name, (title, paragraphs) in sorted(shelf.items())
            ]
            put(Path(folder), {"a.jsonl": "\n".join(rows)})
            report = build_index(settings, encoder=encoder)
            with closing(open_store(settings.index)) as store:
                keys = {passage.key for passage in store.passages(range(store.info.passages))}
            assert report.passages_encoded == len(keys - known)
            known = keys
        assert_like_new(settings, encoder)


_opened: list[str] | None = None
"""Paths that are opened, while a test records them: an audit hook cannot be removed again."""


def _record_opening(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


def test_build_without_changes_touches_nothing(
    built: IndexSettings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(built.articles, KILN)
    build_index(built, encoder=encoder)
    new, old = (home.name for home in generation_homes(built.index))
    files = [path for path in built.index.rglob("*") if path.name != "lock"]
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    sys.addaudithook(_record_opening)
    opened: list[str] = []
    monkeypatch.setitem(globals(), "_opened", opened)
    report = build_index(built)
    assert any(new in path for path in opened)
    assert not any(old in path for path in opened)
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    assert (report.generation, report.reused, report.encoded, report.changes.any) == (new, 12, 0, False)
    assert report.summary().startswith("Nothing has changed")


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"encoder_fingerprint": "0" * 64}, "the encoder is now all-MiniLM-L6-v2"),
        ({"passage_settings": {"language": "es"}}, "passages are now split differently"),
        ({"format": 4}, "the previous index cannot be used: .*manifest.json has format 4"),
        ({"tokens": 3}, "the previous index cannot be used: .*cannot be opened"),
    ],
)
def test_everything_is_encoded_anew_for_a_reason(
    built: IndexSettings, encoder: Encoder, forged: dict[str, object], reason: str
) -> None:
    forge(built.index, **forged)
    put(built.articles, KILN)
    report = build_index(built, encoder=encoder)
    assert (report.encoded, report.reused) == (12, 0)
    assert re.match(reason, report.changes.everything)
    assert_like_new(built, encoder)


@pytest.mark.parametrize("stage", ["reading", "encoding"])
@pytest.mark.parametrize("name", [DATABASE, TOKENS, POINTER])
def test_damaged_generation_is_replaced(
    built: IndexSettings, encoder: Encoder, name: str, stage: str
) -> None:
    """Damaged before the build, or under it."""
    path = built.index / name if name == POINTER else serving_home(built.index) / name
    put(built.articles, KILN)
    if stage == "reading" or name == POINTER:
        os.truncate(path, 64)
    report = build_index(built, lambda step: os.truncate(path, 64) if step.stage == stage else None, encoder)
    assert report.changes.everything.startswith(f"the previous index cannot be used: {path} is damaged")
    assert (report.encoded, report.reused) == (12, 0)


# What cannot be indexed

CUT_ROW = '{"id": "canal", "title": "Ice on the canal", "text": "Skaters'
ORCHARD_ROW = SHELF["more/canal.jsonl"].splitlines()[1]


def replace_by_link(path: Path) -> None:
    path.rename(path.parents[1] / "aside")
    path.symlink_to("gone")


@pytest.mark.parametrize(
    ("name", "content", "problem", "article"),
    [
        ("lighthouse.txt", b"", "lighthouse.txt: empty", "lighthouse"),
        ("lighthouse.txt", b"It\x00\xff was lit.", "lighthouse.txt, line 1: not UTF-8", "lighthouse"),
        ("bakery.md", b"---\ntitle: Bakery\n---\n", "bakery.md: (has no text|empty)", "bakery"),
        ("bakery.md", replace_by_link, "bakery.md: a broken link", "bakery"),
        ("more/canal.jsonl", f"{CUT_ROW}\n{ORCHARD_ROW}".encode(), "canal.jsonl, line 1: not JSON", "canal"),
        (
            "more/canal.jsonl",
            f'{{"id": "canal"}}\n{ORCHARD_ROW}'.encode(),
            'line 1: "text" is missing',
            "canal",
        ),
        ("more/canal.jsonl", b"", "canal.jsonl: empty", "canal orchard"),
        ("more/canal.jsonl", replace_by_link, "canal.jsonl: a broken link", "canal orchard"),
        ("more/canal.jsonl", SHELF["more/canal.jsonl"].encode("utf-16"), "not UTF-8", "canal orchard"),
        ("more/canal.jsonl", f'{{"id": \n{ORCHARD_ROW}'.encode(), "line 1: not JSON", "canal"),
    ],
)
def test_bad_file_is_passed_over_and_its_previous_version_stays(
    built: IndexSettings,
    encoder: Encoder,
    name: str,
    content: bytes | Callable[[Path], None],
    problem: str,
    article: str,
) -> None:
    """And what else has changed is built; `strict` refuses all of it."""
    path = built.articles / name
    with closing(open_store(built.index)) as store:
        before = {one.id: one for one in store.articles(range(store.info.articles))}
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    put(built.articles, KILN)
    with pytest.raises(errors.ArticleError, match=problem):
        build_index(built, encoder=encoder, strict=True)
    with pytest.raises(errors.ArticleError, match=problem):
        plan_build(built, strict=True)
    plan = plan_build(built)
    report = build_index(built, encoder=encoder)
    assert (report.changes, plan.added, plan.removed, plan.changed) == (plan, ("kiln",), (), ())
    assert any(re.search(problem, note) and note.endswith("; passed over") for note in report.changes.notes)
    staying = {f"{name}: the previous version stays" for name in article.split()}
    assert {note for note in report.changes.notes if note.endswith("stays")} == staying
    with closing(open_store(built.index)) as store:
        after = {one.id: one for one in store.articles(range(store.info.articles))}
    assert {name: one for name, one in after.items() if name != "kiln"} == before
    assert report.encoded == 1
    assert not build_index(built, encoder=encoder).changes.any, "the same again"
    (built.articles / "kiln.txt").unlink()
    assert build_index(built, encoder=encoder).changes.removed == ("kiln",), "what is gone goes"


def test_articles_of_a_folder_that_cannot_be_read_stay(built: IndexSettings, encoder: Encoder) -> None:
    put(built.articles, {"loft/hay/bale.txt": "Hay is dry.", "loft.txt": "A loft is high."})
    build_index(built, encoder=encoder)
    replace_by_link(built.articles / "loft")
    (built.articles / "loft.txt").unlink()
    plan = plan_build(built)
    assert plan.removed == ()
    assert {"loft: the previous version stays", "loft/hay/bale: the previous version stays"} <= {*plan.notes}
    (built.articles / "loft").unlink()
    assert plan_build(built).removed == ("loft", "loft/hay/bale")


def test_article_that_moves_to_another_file_is_known_by_it(built: IndexSettings, encoder: Encoder) -> None:
    """So that it stays, when that file cannot be read."""
    path = built.articles / "more/canal.jsonl"
    path.rename(path.with_name("lock.jsonl"))
    report = build_index(built, encoder=encoder)
    assert (report.changes.changed, report.encoded) == (("canal", "orchard"), 0)
    path.with_name("lock.jsonl").write_bytes(b"")
    assert plan_build(built).removed == ()


def test_new_bad_file_is_named_and_nothing_is_kept_of_it(built: IndexSettings, encoder: Encoder) -> None:
    put(built.articles, {**KILN, "new.md": b"", "more/rows.jsonl": b'{"id": "x"}\n{\n'})
    report = build_index(built, encoder=encoder)
    assert report.changes.added == ("kiln",)
    assert sum(note.endswith("; passed over") for note in report.changes.notes) == 3
    assert not any(note.endswith("stays") for note in report.changes.notes)


def test_bad_file_beside_one_of_the_same_name_keeps_its_id(built: IndexSettings, encoder: Encoder) -> None:
    files = {"kiln.md": "The kiln was lit in May.", "kiln.txt": "The kiln is cold."}
    for bad in ("", *files):
        put(built.articles, {**files, **({bad: ""} if bad else {})})
        build_index(built, encoder=encoder)
        with closing(open_store(built.index)) as store:
            rows = [store.article_row(name) for name in ("kiln", "kiln.txt")]
            texts = [one.text for one in store.articles([row for row in rows if row is not None])]
        assert texts == list(files.values())


def test_folder_in_which_nothing_can_be_indexed_is_refused(built: IndexSettings, encoder: Encoder) -> None:
    before = contents(built.index)
    bad = built.model_copy(
        update={"articles": put(built.articles.parent / "bad", {"a.md": b"", "b.jsonl": b"{"})}
    )
    with pytest.raises(errors.ArticleError, match=r"(?s)a.md: empty.*b.jsonl, line 1: not JSON"):
        build_index(bad, encoder=encoder)
    assert contents(built.index) == before


# What interrupts a build


@pytest.mark.parametrize(("stage", "resumed"), [("reading", 0), ("encoding", 1), ("writing", 1)])
def test_interrupted_build_resumes(built: IndexSettings, encoder: Encoder, stage: str, resumed: int) -> None:
    before = contents(built.index)
    put(built.articles, KILN)
    interrupt_at(stage, built, encoder)
    left = contents(built.index)
    assert {name: left[name] for name in left if name != CACHE} == before
    assert verify(built.index) == []
    put(built.articles, {"more.txt": "More of it."})
    report = build_index(built, encoder=encoder)
    assert (report.passages_resumed, report.passages_encoded) == (resumed, 2 - resumed)
    assert ("resumed: 1 passage had been encoded before;" in report.summary()) == bool(resumed)
    assert not (built.index / CACHE).exists()
    assert_like_new(built, encoder)


@pytest.mark.parametrize("is_damaged", [True, False])
def test_unusable_cache_is_dropped(built: IndexSettings, encoder: Encoder, is_damaged: bool) -> None:
    put(built.articles, KILN)
    interrupt_at("writing", built, encoder)
    if is_damaged:
        (built.index / CACHE).write_bytes(b"\xa5" * 9_000)
    else:
        (built.articles / "kiln.txt").unlink()
    report = build_index(built, encoder=encoder)
    assert (report.passages_resumed, report.changes.any) == (0, is_damaged)
    assert not (built.index / CACHE).exists()


def fail_as_onnxruntime() -> None:
    raise RuntimeError("Failed to allocate memory for requested buffer of size 393216000")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda: np.empty(1 << 60, dtype=np.uint8), errors.OutOfMemoryError),
        (lambda: faiss.Float32Vector().resize(1 << 57), errors.OutOfMemoryError),
        (fail_as_onnxruntime, errors.OutOfMemoryError),
        (lambda: 1 // 0, ZeroDivisionError),
    ],
)
def test_lack_of_memory_is_reported_and_other_faults_stay_what_they_are(
    built: IndexSettings, encoder: Encoder, fault: Callable[[], object], error: type[Exception]
) -> None:
    def progress(step: Progress) -> None:
        fault()

    put(built.articles, KILN)
    before = contents(built.index)
    with pytest.raises(error, match=r"previous index keeps serving|by zero"):
        build_index(built, progress, encoder)
    assert contents(built.index) == before


# What refuses a build


class WordGate:
    """Asks both generations for a word, then refuses, meets damage, or accepts."""

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict
        self.found: list[int] = []

    def note(self) -> str:
        return "one word"

    def __call__(self, new: Store, old: Store | None, progress: Callable[[Progress], None]) -> GateReport:
        self.found = [len(store.with_phrase("kiln", 9)) for store in (new, old) if store]
        if self.verdict == "damage":
            raise errors.DamagedIndexError("a file is damaged")
        lost = ("q1",) if self.verdict == "refuse" else ()
        return GateReport(Gold(1, 1 - len(lost), lost), "1 question lost." if lost else "", {"lost": ["q1"]})


def test_gate_judges_before_anything_is_published(built: IndexSettings, encoder: Encoder) -> None:
    before = read_pointer(built.index)
    put(built.articles, KILN)
    refused = f"(?s)1 question lost.*previous generation keeps serving.*{GATE_REPORT}.*FOOTNOTE_GATE_AT"
    for verdict, told in (("refuse", refused), ("damage", "could not be asked, so nothing was published")):
        gate = WordGate(verdict)
        with pytest.raises(errors.GateError, match=told):
            build_index(built, encoder=encoder, gate=gate)
        assert (gate.found, read_pointer(built.index)) == ([1, 0], before)
    assert len(list(built.index.glob(f"{REFUSED}*/{GATE_REPORT}"))) == 1
    report = build_index(built, encoder=encoder, gate=WordGate("accept"))
    assert report.summary().endswith("1 of 1 gold questions answered.")
    assert report.passages_encoded == 0, "what the refused builds encoded is kept"
    assert generation_number(report.generation) == 3
    assert verify(built.index) == []


@pytest.mark.parametrize("keep", [1, 2])
def test_generations_are_kept_as_set(built: IndexSettings, encoder: Encoder, keep: int) -> None:
    """And nothing of others in the index folder is touched."""
    others = {"2023-photos/a.txt": b"mine", "1st-draft/c.txt": b"mine", "000001-notes/d.txt": b"mine"}
    put(built.index, others)
    made = []
    for number in range(3):
        put(built.articles, {"kiln.txt": f"The kiln was lit {number} times."})
        made.append(build_index(built.model_copy(update={"keep": keep}), encoder=encoder).generation)
    assert [home.name for home in generation_homes(built.index)] == made[::-1][:keep]
    assert contents(built.index).items() >= others.items()
