"""A generation on disk: every byte is checked, damage is named, and a build repairs it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError, FootnoteError, NoIndexError
from index.search.search import Search
from index.storage.local import open_generation
from index.storage.manifest import FORMAT, Pointer, generation_name, read_pointer
from index.storage.vectors import write_dense
from index.storage.verification import index_status, verify
from tests.conftest import MakeSettings
from tests.index.forging import publish
from tests.index.shelf import SHELF, contents, put

FILES = (
    "manifest.json",
    "passages.sqlite",
    "postings.bin",
    "dense.faiss",
    "tokens.i8",
    "basis.f32",
    "tokens.i8.sums",
    "postings.bin.sums",
)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARM: list[Callable[[Path], None]] = [flip, truncate, empty, append, Path.unlink, make_folder]


def home_of(index: Path) -> Path:
    return index / read_pointer(index).generation


def assert_refused(index: Path, name: str) -> None:
    for read in (open_generation, index_status):
        with pytest.raises(DamagedIndexError, match="footnote index build") as caught:
            read(index)
        assert name in str(caught.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_harmed_file_is_refused_by_name(own_index: Path, name: str, harm: Callable[[Path], None]) -> None:
    assert verify(own_index) == []
    harm(home_of(own_index) / name)
    assert_refused(own_index, name)
    assert any(name in problem for problem in verify(own_index))


@pytest.mark.parametrize("name", FILES)
def test_build_repairs_a_harmed_generation_and_says_why(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder, name: str
) -> None:
    flip(home_of(own_index) / name)
    report = build_index(make_settings(), encoder=encoder)
    assert name in report.changes.everything
    assert report.encoded == 5
    generation = open_generation(own_index)
    assert len(generation.article_rows()) == 5
    generation.close()


def test_verify_is_content_after_the_build_that_it_asked_for(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    """Else it asks for ever: the second build would find nothing changed."""
    flip(home_of(own_index) / "dense.faiss")
    (problem,) = verify(own_index)
    assert "footnote index build" in problem
    build_index(make_settings(), encoder=encoder)
    assert verify(own_index) == []


def test_harm_to_the_generation_before_is_reported_and_a_build_repairs_it(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    """Only `verify` reads it; `footnote index build`, which it says to run, must help also here."""
    old = home_of(own_index)
    put(make_settings().articles, {"kiln.txt": "The kiln was lit."})
    build_index(make_settings(), encoder=encoder)
    flip(old / "dense.faiss")
    open_generation(own_index).close()
    (problem,) = verify(own_index)
    assert str(old / "dense.faiss") in problem
    build_index(make_settings(), encoder=encoder)
    assert verify(own_index) == []


@settings(max_examples=40)
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(shelf_index: Path, name: str, place: float, bit: int) -> None:
    """Anywhere in any file; the shared index is put right again at once."""
    path = home_of(shelf_index) / name
    whole = path.read_bytes()
    harmed = bytearray(whole)
    harmed[int(place * len(harmed))] ^= 1 << bit
    try:
        path.write_bytes(harmed)
        assert_refused(shelf_index, name)
        assert any(name in problem for problem in verify(shelf_index))
    finally:
        path.write_bytes(whole)
    assert verify(shelf_index) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line[:-1],
        lambda line: line + b"\n",
        lambda line: line[:-1] + b" \n",
        lambda line: line[:-1] + b"\r\n",
        lambda line: b" " + line,
        lambda line: line.replace(b" ", b"  "),
        lambda line: line.replace(b" ", b"\t"),
        lambda line: line.upper(),
        lambda line: b"\xef\xbb\xbf" + line,
        lambda line: b"\xff" + line,
        lambda line: line[:30],
        lambda line: line.rsplit(b" ", 1)[0] + b"\n",
        lambda line: b"",
        lambda line: line + line,
    ],
)
def test_pointer_is_compared_byte_for_byte(own_index: Path, change: Callable[[bytes], bytes]) -> None:
    current = own_index / "CURRENT"
    line = current.read_bytes()
    current.write_bytes(change(line))
    assert_refused(own_index, "CURRENT")
    assert any("CURRENT" in problem for problem in verify(own_index))
    current.write_bytes(line)
    open_generation(own_index).close()


def test_pointer_with_any_byte_changed_is_refused_and_a_build_repairs_it(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    current = own_index / "CURRENT"
    line = current.read_bytes()
    for place in range(len(line)):
        current.write_bytes(line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :])
        with pytest.raises(DamagedIndexError, match="CURRENT"):
            read_pointer(own_index)
    build_index(make_settings(), encoder=encoder)
    open_generation(own_index).close()
    assert verify(own_index) == []


def test_pointer_is_its_two_names_and_their_digest(own_index: Path) -> None:
    name, digest, both = (own_index / "CURRENT").read_bytes().decode("ascii").split(" ")
    assert digest == hashlib.sha256((own_index / name / "manifest.json").read_bytes()).hexdigest()
    assert both == hashlib.sha256(f"{name} {digest}".encode()).hexdigest() + "\n"


def test_pointer_that_is_gone_is_no_index_and_a_build_makes_one(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    (own_index / "CURRENT").unlink()
    for read in (open_generation, index_status, verify):
        with pytest.raises(NoIndexError, match="footnote index build"):
            read(own_index)
    build_index(make_settings(), encoder=encoder)
    assert verify(own_index) == []


def test_pointer_to_a_generation_that_is_gone_is_refused(own_index: Path) -> None:
    home = home_of(own_index)
    shutil.rmtree(home)
    assert_refused(own_index, home.name)
    assert any(home.name in problem for problem in verify(own_index))


@pytest.mark.parametrize("place", ["nowhere", "a-file"])
def test_no_index_is_said_with_what_to_run(tmp_path: Path, place: str) -> None:
    put(tmp_path, {"a-file": "x"})
    for read in (open_generation, index_status, verify):
        with pytest.raises(NoIndexError, match="footnote index build"):
            read(tmp_path / place)


def test_verify_names_what_is_no_file_of_the_index(own_index: Path) -> None:
    home = home_of(own_index)
    put(own_index, {"notes.txt": "x", ".building-77/dense.faiss": "x", "stray/a": "x", "CURRENT.new": "x"})
    put(home, {"extra.bin": "x"})
    found = verify(own_index)
    for path in (own_index / "notes.txt", own_index / ".building-77", own_index / "stray",
                 own_index / "CURRENT.new", home / "extra.bin"):  # fmt: skip
        assert sum(str(path) in problem for problem in found) == 1, path
    assert len(found) == 5
    open_generation(own_index).close()


def test_build_removes_what_one_that_was_cut_off_left(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    put(own_index, {".building-77/dense.faiss": "x", ".building-77/deep/er": "x", "CURRENT.new": "x"})
    build_index(make_settings(), encoder=encoder)
    assert verify(own_index) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"format": FORMAT + 1},
        {"format": 1},
        {"format": None},
        {"colour": "red"},
        {"files": {}},
        {"quick": None},
        {"sizes": {}},
        {"sizes": dict.fromkeys(FILES[1:], "1")},
        {"files": {**dict.fromkeys(FILES[1:], "0" * 64), "../../CURRENT": "0" * 64}},
        {"encoder_fingerprint": "../../.." + "0" * 56},
        {"passages": -1},
        {"built": "yesterday"},
        {"format": FORMAT + 1, "files": [{"name": "one.bin"}]},
    ],
)
def test_generation_of_another_format_is_refused_and_a_build_makes_ours(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder, changes: dict[str, Any]
) -> None:
    """Whole by its checksums, and still not ours to read."""
    publish(own_index, **changes)
    assert_refused(own_index, "manifest.json")
    assert any("manifest.json" in problem for problem in verify(own_index))
    assert build_index(make_settings(), encoder=encoder).encoded == 5
    open_generation(own_index).close()


def write_format_1(index: Path) -> None:
    """Publish what the first version of Footnote left: other files, and a manifest that says less."""
    files = {"passages.sqlite": b"SQLite format 3\0", "dense.faiss": b"IxFI", "sentences.faiss": b"IxSQ"}
    fields = {
        "format": 1,
        "built": "2026-01-31T12:00:00+00:00",
        "encoder": "all-MiniLM-L6-v2",
        "encoder_fingerprint": "0" * 64,
        "dimension": 384,
        "passage_settings": {"language": "en"},
        "articles": 1,
        "passages": 1,
        "sentences": 1,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    data = json.dumps(fields, indent=1, sort_keys=True).encode()
    name = generation_name(1, data)
    put(index / name, {**files, "manifest.json": data})
    (index / "CURRENT").write_bytes(Pointer(name, hashlib.sha256(data).hexdigest()).line())


def test_index_of_format_1_is_refused_and_a_build_over_it_makes_ours(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """Whoever upgrades is told what to run, and that is enough."""
    options = make_settings()
    put(options.articles, SHELF)
    write_format_1(options.index)
    before = contents(options.index)
    assert_refused(options.index, "manifest.json")
    (problem,) = verify(options.index)
    assert "another version" in problem
    assert "footnote index build" in problem
    assert contents(options.index) == before
    report = build_index(options, encoder=encoder)
    assert (report.articles, report.encoded) == (5, 5)
    assert "another version" in report.changes.everything
    generation = open_generation(options.index)
    assert Search(generation, encoder)("Who kept bees?").hits[0].article.id == "lighthouse"
    generation.close()
    assert verify(options.index) == []


def test_generation_with_an_approximate_dense_index_is_opened_and_answers_alike(
    own_index: Path, encoder: Encoder
) -> None:
    """As a large collection has it: its exact vectors are in a file of their own, which is checked too."""
    exact = open_generation(own_index)
    found = Search(exact, encoder)("Who kept bees behind the oil store?")
    home, rows = home_of(own_index), range(exact.manifest.passages)
    write_dense(home, exact.passage_vectors(rows), flat_up_to=0)
    publish(own_index)
    listed = open_generation(own_index)
    assert np.array_equal(listed.passage_vectors(rows), exact.passage_vectors(rows))
    again = Search(listed, encoder)("Who kept bees behind the oil store?")
    assert [hit.text for hit in again.hits] == [hit.text for hit in found.hits]
    assert [hit.score for hit in again.hits] == pytest.approx([hit.score for hit in found.hits])
    assert verify(own_index) == []
    flip(home_of(own_index) / "dense.f32")
    assert_refused(own_index, "dense.f32")
    for generation in (exact, listed):
        generation.close()


def test_heading_takes_no_other_passage_s_place_among_the_nearest(own_index: Path, encoder: Encoder) -> None:
    """A title is nearer to a question about its subject than most of what is said of it."""
    generation = open_generation(own_index)
    stored = [one for row, _, _ in generation.article_rows() for one in generation.passages_of(row)]
    headings = {one.row for one in stored if one.passage.is_heading}
    question = encoder.encode_question("Who wrote it? Who is the author of this article?", generation.basis)
    nearest = [row for row, _ in generation.nearest(question.dense, 3)]
    assert headings.issuperset(nearest)
    bodies = [row for row, _ in generation.nearest(question.dense, 3, headings=False)]
    assert len(bodies) == 3
    assert headings.isdisjoint(bodies)
    every = generation.nearest(question.dense, 1_000)
    assert [row for row, _ in every if row not in headings][:3] == bodies
    assert len(every) == len(stored)
    generation.close()


def test_generation_answers_from_the_memory_map_when_its_files_are_gone(
    own_index: Path, encoder: Encoder
) -> None:
    """Token vectors are read as questions need them, long after the next build removed their file."""
    kept, gone = open_generation(own_index), open_generation(own_index)
    reader = Search(gone, encoder)
    shutil.rmtree(own_index)
    found = reader("Who kept bees behind the oil store?")
    assert found.hits[0].late > 0.6
    assert found == Search(kept, encoder)("Who kept bees behind the oil store?")
    assert gone.tokens(0, gone.manifest.tokens).any(axis=1).all()
    for generation in (kept, gone):
        generation.close()


def test_file_whole_by_its_checksum_and_not_readable_is_refused(own_index: Path) -> None:
    """The libraries' own errors do not come through."""
    for name in FILES[1:]:
        kept = home_of(own_index) / name
        before = kept.read_bytes()
        kept.write_bytes(b"nonsense" * 513)
        publish(own_index, sums=False)
        with pytest.raises(DamagedIndexError, match=r"cannot be opened|is damaged"):
            open_generation(own_index)
        (home_of(own_index) / name).write_bytes(before)
        publish(own_index)
        open_generation(own_index).close()


def test_manifest_says_what_is_in_the_generation(own_index: Path, encoder: Encoder) -> None:
    generation = open_generation(own_index)
    manifest = generation.manifest
    rows = generation.article_rows()
    stored = [one for row, _, _ in rows for one in generation.passages_of(row)]
    assert manifest.format == FORMAT
    assert (manifest.encoder, manifest.encoder_fingerprint) == (encoder.model.name, encoder.model.fingerprint)
    assert (manifest.articles, manifest.passages) == (len(rows), len(stored))
    assert manifest.sentences == sum(len(one.passage.sentences) for one in stored)
    assert manifest.tokens == sum(sum(one.tokens) for one in stored)
    assert (manifest.dimension, manifest.token_width) == generation.basis.shape == (384, 128)
    assert dict(generation.status().lines())["articles"] == "5"
    assert generation.status() == index_status(own_index)
    assert generation.status().bytes == sum((home_of(own_index) / name).stat().st_size for name in FILES[1:])
    assert [generation.article(row).content_hash for row, _, _ in rows] == [digest for _, _, digest in rows]
    assert generation.name == generation_name(1, (home_of(own_index) / "manifest.json").read_bytes())
    with pytest.raises(dataclasses.FrozenInstanceError):
        manifest.format = 2  # type: ignore[misc]
    generation.close()


def test_no_file_of_a_generation_is_a_pickle(own_index: Path) -> None:
    assert {path.name for path in home_of(own_index).iterdir()} == set(FILES)
    starts = [(home_of(own_index) / name).read_bytes()[:6] for name in FILES]
    assert (starts[0][:1], starts[1], starts[3][:4]) == (b"{", b"SQLite", b"IxFI")
    manifest = json.loads((home_of(own_index) / "manifest.json").read_bytes())
    width = manifest["token_width"]
    sizes = [(home_of(own_index) / name).stat().st_size for name in FILES[4:6]]
    assert sizes == [manifest["tokens"] * width, manifest["dimension"] * width * 4], "numbers, no header"
    assert (home_of(own_index) / "postings.bin").stat().st_size % 12 == 0


def test_status_needs_neither_the_encoder_nor_torch(own_index: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from index import index_status\n"
        "print(index_status(Path(sys.argv[1])).articles, 'torch' in sys.modules, 'discord' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(own_index)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "5 False False\n"


def test_reader_overtaken_by_a_build_opens_what_is_published_now(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder, tmp_path: Path
) -> None:
    """It had read CURRENT when the generation named there was removed; so it reads CURRENT again."""
    old, before = home_of(own_index), (own_index / "CURRENT").read_bytes()
    put(make_settings().articles, {"kiln.txt": "The kiln was lit."})
    new = build_index(make_settings(), encoder=encoder).generation
    shutil.copy(own_index / "CURRENT", tmp_path / "published")
    (own_index / "CURRENT").write_bytes(before)
    code = (
        "import os, shutil, sys; from pathlib import Path; from index import open_generation\n"
        "index, old, published = map(Path, sys.argv[1:])\n"
        "def overtake(event, values):\n"
        "    if event == 'open' and str(values[0]) == str(old / 'manifest.json') and published.exists():\n"
        "        os.replace(published, index / 'CURRENT')\n"
        "        shutil.rmtree(old)\n"
        "sys.addaudithook(overtake)\n"
        "print(open_generation(index).name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(own_index), str(old), str(tmp_path / "published")],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"{new}\n", done.stderr


def test_readers_open_whole_generations_while_builds_publish(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder
) -> None:
    """A reader that comes at any time finds a whole index, never one half removed."""
    wrong: list[str] = []
    done = threading.Event()
    question = encoder.encode_question("Who kept bees?", encoder.basis).dense

    def read() -> None:
        while not done.is_set():
            try:
                generation = open_generation(own_index)
                generation.passages([row for row, _ in generation.nearest(question, 10)])
                generation.close()
            except FootnoteError as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(8):
            put(make_settings().articles, {"kiln.txt": f"The kiln was lit {number} times."})
            build_index(make_settings(), encoder=encoder)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []
