"""The manifest and CURRENT: what no build wrote is refused with what to do, and without a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DamagedIndexError, FootnoteError, NoIndexError
from index.storage.generations import last_good, roll_back
from index.storage.inspection import history, index_status, verify
from index.storage.local import LocalStore, open_generation, open_store
from index.storage.manifest import FORMAT, MANIFEST, POINTER, point_at, read_manifest
from tests.index.shelf import serving_home
from tests.index.storage.copies import add_copy, forge, forge_bytes

ODD = [
    *(None, True, -1, 0, 1, 10**12, 10**30, 1.5, float("nan"), float("inf")),
    *("", "x", "../x", "\x1b[31m", "2026-01-01", [], {}, [[]], {"a": {}}),
]
FILE_NAMES = [
    *(
        "../x",
        "/etc/passwd",
        "words/../x",
        "..",
        ".",
        "",
        "words/",
        "a/b/c",
        "\x00",
        "ｆ",
        "A",
        "basis.f32\n",
    ),
]
COMMANDS: list[Callable[[Path], object]] = [
    open_store,
    index_status,
    verify,
    last_good,
    roll_back,
    lambda folder: [summary.line() for summary in history(folder)],
]


@pytest.fixture
def index(shelf_index: Path, empty: Path) -> Path:
    """Give an index of two generations that need no exported encoder."""
    add_copy(empty, serving_home(shelf_index))
    add_copy(empty)
    return empty


@contextmanager
def kept_whole(index: Path) -> Iterator[None]:
    """Undo what the block did to the serving generation's manifest and name."""
    home = serving_home(index)
    data = (home / MANIFEST).read_bytes()
    try:
        yield
    finally:
        forged = next(path for path in index.iterdir() if path.name.startswith("000009-"))
        (forged / MANIFEST).write_bytes(data)
        forged.rename(home)
        point_at(index, home.name)


@settings(max_examples=100)
@given(data=st.data(), value=st.sampled_from(ODD) | st.integers() | st.text(max_size=5))
def test_any_value_in_any_field_is_refused_or_harmless(
    index: Path, data: st.DataObject, value: object
) -> None:
    """Though checksums and name are right: no command fails otherwise than with advice."""
    field = data.draw(st.sampled_from(sorted(json.loads((serving_home(index) / MANIFEST).read_bytes()))))
    with kept_whole(index):
        forge(index, **{field: value})
        for command in COMMANDS:
            with suppress(FootnoteError):
                result = command(index)
                if isinstance(result, LocalStore):
                    result.info.lines()
                    result.close()


@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_name_that_leads_elsewhere_is_refused(index: Path, name: str) -> None:
    files = json.loads((serving_home(index) / MANIFEST).read_bytes())["files"]
    data = json.dumps(
        {
            **json.loads((serving_home(index) / MANIFEST).read_bytes()),
            "files": {**files, name: files["basis.f32"]},
        }
    )
    forged = forge_bytes(index, data.encode())
    with pytest.raises(DamagedIndexError, match=f"{forged / MANIFEST} .*impossible values.*index build"):
        open_store(index)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000, b'{"format": 5}', b"1" * 5_000]
)
def test_what_is_no_manifest_is_refused(index: Path, data: bytes) -> None:
    forged = forge_bytes(index, data)
    with pytest.raises(DamagedIndexError, match=f"{forged / MANIFEST} .*index build"):
        open_store(index)


@pytest.mark.parametrize("version", [FORMAT - 1, FORMAT + 1, "5", 5.5])
def test_another_format_is_named(index: Path, version: object) -> None:
    forge(index, format=version)
    with pytest.raises(
        DamagedIndexError, match=f"has format {version!r}; this version of Footnote reads {FORMAT}"
    ):
        open_store(index)


@pytest.mark.parametrize("field", ["dimension", "token_width"])
def test_rows_without_width_are_impossible(index: Path, field: str) -> None:
    (serving_home(index) / "dense.f32").write_bytes(b"1234")
    forge(index, **{field: 0})
    with pytest.raises(DamagedIndexError, match="impossible values"):
        open_store(index)


def test_extra_field_is_another_version(index: Path) -> None:
    forge(index, more=1)
    with pytest.raises(DamagedIndexError, match="written by another version"):
        open_store(index)


def test_manifest_that_did_not_give_the_name_is_refused(index: Path) -> None:
    path = serving_home(index) / MANIFEST
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(DamagedIndexError, match=f"{path} is damaged"):
        open_store(index)


def test_generation_that_is_a_link_is_refused(index: Path, tmp_path: Path) -> None:
    home = serving_home(index)
    home.rename(tmp_path / home.name)
    home.symlink_to(tmp_path / home.name)
    for read in (open_store, index_status):
        with pytest.raises(DamagedIndexError, match=f"{home} is a link"):
            read(index)
    assert any(f"{home} is a link" in line for line in verify(index))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"\xff" * 100,
        b"{name}",
        b"{name} {digest}",
        b"../outside {digest}\n",
        b"{name} {digest}\n\n",
    ],
)
def test_pointer_that_no_build_wrote_is_refused(index: Path, content: bytes) -> None:
    name, digest = (index / POINTER).read_bytes().split()
    (index / POINTER).write_bytes(content.replace(b"{name}", name).replace(b"{digest}", digest))
    for read in (open_store, index_status):
        with pytest.raises(DamagedIndexError, match=f"{index / POINTER} is damaged"):
            read(index)
    assert any(f"{index / POINTER} is damaged" in line for line in verify(index))


@pytest.mark.parametrize(
    "name", ["../outside", "{absolute}", ".", "", "CURRENT", "000001-0123456789abcdef/.."]
)
def test_name_that_leads_out_of_the_folder_is_no_generation(index: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(NoIndexError, match=r"no generation .*footnote index history"):
        open_generation(index, name.format(absolute=tmp_path))


def test_manifest_comes_back_as_it_was_written(index: Path) -> None:
    home = serving_home(index)
    manifest = read_manifest(home)
    assert manifest.to_bytes() == (home / MANIFEST).read_bytes()
    assert manifest.info(home.name).bytes == sum(file.size for file in manifest.files.values())
