"""Whatever happens to a file of an index, it is told of by name, and no answer is made of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index.build import build_index
from index.encoding.encoder import Encoder
from index.encoding.exports import FILES as GRAPH_FILES
from index.encoding.exports import GRAPH, graph_home
from index.encoding.opening import open_encoder
from index.errors import DamagedIndexError, NoIndexError
from index.progress import Progress
from index.search.hits import Found
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.local import Generation, open_generation, open_named
from index.storage.manifest import EXACT, EXACT_SUMS, FILES, MANIFEST, Pointer, read_manifest, read_pointer
from index.storage.vectors import write_dense
from index.storage.verification import index_status, verify, verify_generation
from tests.conftest import MakeSettings
from tests.graphs import lend_graph
from tests.index.forging import publish
from tests.index.shelf import SHELF, put

QUESTION = "Who kept bees behind the oil store?"
GENERATION_FILES = sorted({MANIFEST, EXACT, EXACT_SUMS, *FILES})
MODEL_FILES = (GRAPH, *GRAPH_FILES)
ROW_FILES = ("tokens.i8", "dense.f32", "postings.bin")
HARMS = ("flip", "cut", "append", "swap")


@pytest.fixture(scope="module")
def index(encoder: Encoder, graph_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build two generations, the newer with an approximate dense index, and a graph of their own."""
    home = tmp_path_factory.mktemp("damage")
    options = IndexSettings.load(articles=put(home / "articles", SHELF), index=home / "index")
    lend_graph(graph_folder, options.index)
    build_index(options, encoder=encoder)
    put(home / "articles", {"kiln.txt": "The kiln was lit.\n\nIts smoke was white."})
    build_index(options, encoder=encoder)
    with opened(options.index) as generation:
        vectors = generation.passage_vectors(range(generation.manifest.passages))
    write_dense(home_of(options.index), vectors, flat_up_to=0)
    publish(options.index)
    for path in (options.index / "models").rglob("*"):
        if path.is_file():  # lent files are shared with other tests
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)
    assert verify(options.index) == []
    return options.index


def home_of(index: Path) -> Path:
    return index / read_pointer(index).generation


@contextmanager
def opened(index: Path, check_mb: int | None = None) -> Iterator[Generation]:
    generation = open_generation(index, check_mb=check_mb)
    try:
        yield generation
    finally:
        generation.close()


@contextmanager
def harmed(path: Path, harm: str, place: float, bit: int, other: bytes | None = None) -> Iterator[None]:
    """Harm a file in place for as long as the block lasts, as a disk or a hand does."""
    whole = path.read_bytes()
    at = int(place * len(whole))
    changed = {
        "flip": whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :],
        "cut": whole[:at],
        "append": whole + bytes([bit]) * (1 + at % 20_000),
        "swap": other if other is not None else whole,
    }[harm]
    assert changed != whole
    try:
        write_in_place(path, changed)
        yield
    finally:
        write_in_place(path, whole)


def write_in_place(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def open_all(index: Path, check_mb: int | None) -> None:
    """Open what answering opens."""
    with opened(index, check_mb) as generation:
        open_encoder(index, generation.manifest, "all-MiniLM-L6-v2", threads=1)


@settings(max_examples=80)
@given(
    name=st.sampled_from(GENERATION_FILES),
    harm=st.sampled_from(HARMS),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_harm_to_any_file_is_told_by_its_name(
    index: Path, name: str, harm: str, place: float, bit: int
) -> None:
    """By verify, by status and by opening; above the size up to which opening reads all, rows aside."""
    path = home_of(index) / name
    (older,) = (home for home in index.glob("0*") if home != path.parent)
    other = (older / name).read_bytes() if (older / name).exists() else None
    assume(harm != "swap" or other not in {None, path.read_bytes()})
    with harmed(path, harm, place, bit, other):
        assert any(str(path) in line for line in verify_generation(path.parent))
        for read in (index_status, open_generation):
            with pytest.raises(DamagedIndexError, match=f"{path} .*footnote index build"):
                read(index)
        with pytest.raises(DamagedIndexError, match=str(path)):
            open_named(index, path.parent.name)
        if name not in ROW_FILES or harm in {"cut", "append"}:
            with pytest.raises(DamagedIndexError, match=str(path)):
                open_generation(index, check_mb=0)


@settings(max_examples=10)
@given(
    name=st.sampled_from(MODEL_FILES),
    harm=st.sampled_from(HARMS[:3]),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_harm_to_any_file_of_the_encoder_is_told_by_its_name(
    index: Path, name: str, harm: str, place: float, bit: int
) -> None:
    path = graph_home(index, read_manifest(index, read_pointer(index)).encoder_fingerprint) / name
    with harmed(path, harm, place, bit):
        assert any(str(path) in line for line in verify(index))
        with pytest.raises(DamagedIndexError, match=str(path)):
            index_status(index)
        with pytest.raises(DamagedIndexError, match=str(path)):
            open_all(index, 0)


@pytest.fixture(scope="module")
def expected(index: Path, encoder: Encoder) -> Found:
    with opened(index) as generation:
        return Search(generation, encoder)(QUESTION)


@settings(max_examples=60)
@given(
    name=st.sampled_from(ROW_FILES),
    place=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
    before=st.booleans(),
)
def test_question_that_meets_a_bad_block_is_not_answered_and_any_other_is_as_ever(
    index: Path, encoder: Encoder, expected: Found, name: str, place: float, bit: int, before: bool
) -> None:
    """A bit flips before opening, which does not read rows, or under an open generation."""
    path = home_of(index) / name
    flipped = harmed(path, "flip", place, bit)
    with ExitStack() as stack:
        if before:
            stack.enter_context(flipped)
        generation = stack.enter_context(opened(index, 0))
        if not before:
            stack.enter_context(flipped)
        try:
            assert Search(generation, encoder)(QUESTION) == expected
        except DamagedIndexError as error:
            assert f"{path} is damaged (bytes " in str(error)  # noqa: PT017 - either is right
        with pytest.raises(DamagedIndexError, match=str(path)):
            generation.check()


@pytest.mark.parametrize("name", ROW_FILES)
def test_question_that_meets_bad_blocks_alone_is_never_answered(
    index: Path, encoder: Encoder, name: str
) -> None:
    path = home_of(index) / name
    with opened(index, 0) as generation, harmed(path, "swap", 0, 0, bytes(path.stat().st_size)):
        for _ in range(2):
            with pytest.raises(DamagedIndexError, match=str(path)):
                Search(generation, encoder)(QUESTION)


@pytest.mark.parametrize("name", sorted(FILES))
def test_file_that_is_written_to_is_noticed_and_checked_once(index: Path, name: str) -> None:
    path = home_of(index) / name
    with opened(index) as generation:
        assert not generation.touched()
        with harmed(path, "flip", 0.5, 3):
            assert generation.touched()
            with pytest.raises(DamagedIndexError, match=str(path)):
                generation.check()
            assert generation.touched(), "it is still so"
        assert generation.touched()
        generation.check()
        assert not generation.touched(), "what was put right is not read again every time"
    assert not generation.touched()
    generation.check()


def test_generation_whose_files_are_removed_is_untouched_and_whole(index: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(index, tmp_path / "copy"))
    with opened(copy) as generation:
        shutil.rmtree(copy)
        assert not generation.touched()
        generation.check()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts them in /proc")
def test_no_file_stays_open_after_closing_or_a_refusal(index: Path) -> None:
    before = descriptors()
    with opened(index) as generation:
        generation.check()
        assert descriptors() > before
    assert descriptors() == before
    with harmed(home_of(index) / "dense.faiss", "flip", 0.5, 1), pytest.raises(DamagedIndexError):
        open_generation(index)
    assert descriptors() == before


def link_out(path: Path, outside: Path) -> None:
    shutil.copy(path, outside)
    path.unlink()
    path.symlink_to(outside)


def make_pipe(path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [link_out, make_pipe])
@pytest.mark.parametrize("name", ["manifest.json", "passages.sqlite", "tokens.i8", "basis.f32"])
def test_link_or_pipe_in_place_of_a_file_is_refused(
    own_index: Path, tmp_path: Path, name: str, change: Callable[[Path, Path], None]
) -> None:
    """Though what the link leads to is the very file; and nobody waits for a pipe."""
    path = home_of(own_index) / name
    change(path, tmp_path / "outside")
    for read in (open_generation, index_status):
        with pytest.raises(DamagedIndexError, match=rf"{path} .*(link|regular file)"):
            read(own_index)
    assert any(str(path) in line for line in verify(own_index))


def test_generation_that_is_a_link_is_refused(own_index: Path, tmp_path: Path) -> None:
    home = home_of(own_index)
    home.rename(tmp_path / home.name)
    home.symlink_to(tmp_path / home.name)
    for read in (open_generation, index_status):
        with pytest.raises(DamagedIndexError, match=f"{home} is a link"):
            read(own_index)
    assert any(f"{home} is a link" in line for line in verify(own_index))


@pytest.mark.parametrize("name", ["../outside", "{absolute}", ".", "", "000001-0123456789abcdef/.."])
def test_name_that_leads_out_of_the_folder_is_no_generation(
    own_index: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(home_of(own_index), tmp_path / "outside")
    name = name.format(absolute=tmp_path / "outside")
    digest = read_pointer(own_index).manifest
    (own_index / "CURRENT").write_bytes(Pointer(name, digest).line())
    with pytest.raises(DamagedIndexError, match="CURRENT is damaged"):
        open_generation(own_index)
    with pytest.raises(NoIndexError, match="no generation"):
        open_named(own_index, name)


def test_generation_of_before_is_opened_by_its_name(index: Path) -> None:
    (older,) = (home for home in index.glob("0*") if home != home_of(index))
    generation = open_named(index, older.name)
    assert (generation.name, generation.manifest.articles) == (older.name, 5)
    generation.close()


@pytest.mark.parametrize("name", ["tokens.i8", "passages.sqlite"])
def test_build_that_meets_damage_on_its_way_makes_everything_anew_and_says_why(
    own_index: Path, make_settings: MakeSettings, encoder: Encoder, name: str
) -> None:
    """The generation of before was whole when the build opened it."""
    path = home_of(own_index) / name

    def harm(step: Progress) -> None:
        if step.stage == "encoding" and not harmed_already:
            harmed_already.append(step)
            data = path.read_bytes()
            write_in_place(path, data[:4096] + bytes(len(data) - 4096))

    harmed_already: list[Progress] = []
    put(make_settings().articles, {"kiln.txt": "The kiln was lit."})
    report = build_index(make_settings(), harm, encoder=encoder)
    assert harmed_already
    assert "the index before cannot be used" in report.changes.everything
    assert str(path) in report.changes.everything
    assert (report.encoded, report.reused) == (6, 0)
    with opened(own_index) as generation:
        assert Search(generation, encoder)(QUESTION).hits[0].article.id == "lighthouse"
