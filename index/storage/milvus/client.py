"""The connection to Milvus: timeouts, errors that say what to do, collections, blobs, and leases.

Every failure is BusyError, since Milvus or the network may be back in a moment, except that a collection does
not exist. Milvus has no compare-and-set, so a lease is taken by writing a claim and then reading all claims:
of two that come at once, at least one sees the other and gives up.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import socket
import threading
import time
import uuid
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from pymilvus import DataType, MilvusClient, MilvusException

from index.errors import BusyError, FootnoteError, MissingError, SettingsError

__all__ = [
    "FLAT",
    "STRONG",
    "TEXT",
    "Blobs",
    "Client",
    "NoCollectionError",
    "chunks",
    "connect",
    "from_pieces",
    "lease",
    "to_pieces",
]

TEXT = 65_535
"""The longest VARCHAR, in bytes."""
FLAT = {"index_type": "FLAT", "metric_type": "IP"}
STRONG = {"consistency_level": "Strong"}

_DUMMY = [0.0, 1.0]  # Milvus insists on a vector in every row
_READ_SECONDS = 5.0
_WRITE_SECONDS = 60.0
_INDEX_SECONDS = 3_600  # an index over many passages takes a while; pymilvus ignores a float here
_LEASE_SECONDS = 60.0
_RENEW_SECONDS = 15.0
_MARGIN_SECONDS = 15.0  # of a lease, in which the alias is moved
_PAUSES = (0.3, 1.0, 3.0)  # seconds, while another machine creates the same collection
_MISSING, _NOT_LOADED = {100, 1600}, 101  # codes of Milvus: no collection, no alias
_BATCH_BYTES = 4_000_000  # written in one call; Milvus takes 64 MB
_ROW_BYTES = 4_000  # of a row besides its texts, about
_PIECE = 65_532  # of base64, which comes in fours: the largest that a VARCHAR holds
_KEYS = 100  # pieces asked for in one call: up to 7 MB
_URL = re.compile(r"milvus\+(?P<server>https?://[^/]+)/?(?P<database>.*)")
_LEASES = "footnote_Leases"  # small letters are for collections' names


class NoCollectionError(MissingError):
    """A collection or alias does not exist in Milvus."""


class _NotLoadedError(BusyError):
    """Milvus has a collection on disk alone."""


@functools.cache
def connect(store: str, token_file: Path | None) -> Client:
    """Return the connection of FOOTNOTE_STORE, one a process; it connects when it is first used.

    Raises:
        SettingsError: the token cannot be read.
    """
    try:
        token = token_file.read_text("ascii", "replace").strip() if token_file else ""
    except OSError as error:
        what = f"FOOTNOTE_STORE_TOKEN_FILE {token_file} cannot be read: {error.strerror}"
        raise SettingsError(f"{what}. Write the token of Milvus to it.") from error
    return Client(store, token)


class Client:
    """A connection that comes back by itself; safe to use from several threads.

    Every method raises BusyError where Milvus does not answer now, and NoCollectionError where there is no
    such collection or alias.
    """

    def __init__(self, store: str, token: str = "") -> None:
        """Take the settings; nothing is connected yet."""
        self.store = store
        self._token = token
        self._connecting = threading.Lock()
        self._client: MilvusClient | None = None

    def read(self, method: str, name: str = "", *args: Any, **options: Any) -> Any:
        """Call a quick method of MilvusClient on a collection, which is loaded first if need be."""
        options = {"timeout": _READ_SECONDS, **options}
        names = [name] if name else []

        def ask() -> Any:
            return getattr(self._connected(), method)(*names, *args, **options)

        try:
            return self._told(name, ask)
        except _NotLoadedError:  # after a restart
            self._told(name, lambda: self._connected().load_collection(name, timeout=options["timeout"]))
            return self._told(name, ask)

    def write(self, method: str, name: str, *args: Any, **options: Any) -> Any:
        """Call a method that may take longer."""
        return self.read(method, name, *args, **{"timeout": _WRITE_SECONDS, **options})

    def create(self, name: str, fields: Mapping[str, Any]) -> None:
        """Create a collection; a field is a type, the longest text, or of a vector `{"dim": n}`.

        The first is the primary key. The vector "dummy" is added where there is none.
        """
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        if not any(isinstance(kind, Mapping) for kind in fields.values()):
            fields = {**fields, "dummy": {"dim": len(_DUMMY)}}
        for number, (field, kind) in enumerate(fields.items()):
            if isinstance(kind, Mapping):
                schema.add_field(field, DataType.FLOAT_VECTOR, **kind)
            elif isinstance(kind, DataType):
                schema.add_field(field, kind, is_primary=number == 0)
            else:
                schema.add_field(field, DataType.VARCHAR, max_length=kind, is_primary=number == 0)
        self.write("create_collection", name, schema=schema, consistency_level="Bounded")

    def index(self, name: str, fields: Mapping[str, Mapping[str, Any]]) -> None:
        """Flush a collection, index these fields (a vector each has), and load it."""
        params = MilvusClient.prepare_index_params()
        for field, kind in fields.items():
            params.add_index(field, **kind)
        for method, *args in (("flush",), ("create_index", params), ("load_collection",)):
            self.write(method, name, *args, timeout=_INDEX_SECONDS)

    def ensure(self, name: str, fields: Mapping[str, Any]) -> None:
        """Create and load a collection that machines share, unless it is there; several may do so at once."""
        for pause in _PAUSES:
            with suppress(BusyError):  # another machine is at it; if it is worse, the next call says so
                if not self.read("has_collection", name):
                    self.create(name, fields)
                if not self.read("list_indexes", name):  # or who created it was killed
                    self.index(name, {"dummy": FLAT})
                return
            time.sleep(pause)

    def add(self, name: str, rows: Iterable[dict[str, Any]], method: str = "upsert") -> None:
        """Write rows, some megabytes in a call."""
        batch: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            batch.append(row)
            size += _ROW_BYTES + sum(len(value) for value in row.values() if isinstance(value, str))
            if size > _BATCH_BYTES:
                self.write(method, name, batch)
                batch, size = [], 0
        if batch:
            self.write(method, name, batch)

    def rows(self, name: str, condition: str, fields: list[str], **options: Any) -> Iterator[dict[str, Any]]:
        """Yield every row that meets a condition, in order of the primary key."""
        pages = self.read(
            "query_iterator", name, batch_size=1_000, filter=condition, output_fields=fields, **options
        )
        while page := self._told(name, pages.next):
            yield from page

    def count(self, name: str) -> int:
        """Return how many rows a collection has."""
        found = self.read("query", name, filter="", output_fields=["count(*)"], **STRONG)
        return int(found[0]["count(*)"])

    def _told(self, name: str, ask: Callable[[], Any]) -> Any:
        """Ask, and raise what a failure means."""
        try:
            return ask()
        except MilvusException as failure:
            if failure.code in _MISSING:
                raise NoCollectionError(f"there is no {name} at {self.store}.") from failure
            kind = _NotLoadedError if failure.code == _NOT_LOADED and name else BusyError
            cause, reason = failure, failure.message.partition("\n")[0]
        except grpc.RpcError as failure:
            kind, cause = BusyError, failure
            reason = failure.code().name if isinstance(failure, grpc.Call) else type(failure).__name__
        raise kind(
            f"Milvus at {self.store} does not answer: {reason.rstrip('.')}. Try again soon; if it stays so, "
            "check that it runs, FOOTNOTE_STORE and the token."
        ) from cause

    def _connected(self) -> MilvusClient:
        with self._connecting:
            if self._client is None:
                # It logs a traceback for each call that fails, although it raises the failure too.
                logging.getLogger("pymilvus").setLevel(logging.CRITICAL + 1)
                match = _URL.fullmatch(self.store)
                assert match  # noqa: S101 - the settings check it
                options = {"db_name": match["database"] or "default", "timeout": _READ_SECONDS / 2}
                try:
                    self._client = MilvusClient(match["server"], token=self._token, **options)
                except ValueError as error:
                    raise SettingsError(f"FOOTNOTE_STORE {self.store}: {error}. Correct it.") from error
            return self._client


class Blobs:
    """Bytes by name, in a collection of their own: in pieces, since Milvus has no field for bytes."""

    FIELDS: Mapping[str, Any] = {"key": 128, "pieces": DataType.INT64, "content": TEXT}

    def __init__(self, client: Client, collection: str) -> None:
        """Take the name of the collection, which has the fields FIELDS."""
        self._client, self._collection = client, collection

    def put(self, blobs: Iterable[tuple[str, bytes]]) -> None:
        """Add blobs by their names, letters, digits, hyphens and slashes; or replace them."""
        self._client.add(
            self._collection,
            (
                {"key": f"{name}:{number}", "pieces": len(pieces), "content": piece, "dummy": _DUMMY}
                for name, data in blobs
                for pieces in [to_pieces(zlib.compress(data, 1))]
                for number, piece in enumerate(pieces)
            ),
        )

    def get(self, names: Iterable[str], **options: Any) -> dict[str, bytes]:
        """Return the blobs that there are, and are whole, by name."""
        rows = self._rows([f"{name}:0" for name in dict.fromkeys(names)], options)
        counts = {key.removesuffix(":0"): row["pieces"] for key, row in rows.items()}
        more = [f"{name}:{number}" for name, count in counts.items() for number in range(1, count)]
        rows |= self._rows(more, options)
        found = {}
        for name, count in counts.items():
            keys = [f"{name}:{number}" for number in range(count)]
            if rows.keys() >= set(keys):
                found[name] = zlib.decompress(from_pieces(rows[key]["content"] for key in keys))
        return found

    def _rows(self, keys: list[str], options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        fields, found = ["key", "pieces", "content"], {}
        for some in chunks(keys, _KEYS):
            asked = {"filter": f"key in {some}", "output_fields": fields, **options}
            for row in self._client.read("query", self._collection, **asked):
                found[row["key"]] = row
        return found


def chunks(values: list[Any], size: int) -> Iterator[list[Any]]:
    """Yield values in lists of bounded size, for one call each."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def to_pieces(data: bytes) -> list[str]:
    """Return bytes as base64 in pieces that a VARCHAR holds; at least one."""
    text = b64encode(data).decode("ascii")
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)] or [""]


def from_pieces(pieces: Iterable[str]) -> bytes:
    """Return the bytes of pieces in order."""
    return b64decode("".join(pieces))


@contextmanager
def lease(client: Client, name: str) -> Iterator[Callable[[], None]]:
    """Hold the lease of a name, so that one builder at a time writes its collections, on any machine.

    A thread renews it; what is yielded raises BusyError where that failed for too long. Clocks must agree to
    some seconds. Where Milvus does not answer at the end, the lease expires.

    Raises:
        BusyError: another builder holds it.
    """
    client.ensure(_LEASES, {"claim": 64, "name": 256, "holder": 512, "expires": DataType.DOUBLE})
    claim, ended, until = uuid.uuid4().hex, threading.Event(), 0.0
    holder = f"process {os.getpid()} on {socket.gethostname()[:64]}, since {datetime.now(UTC):%H:%M:%S} UTC"

    def renew() -> None:
        nonlocal until
        expires = time.time() + _LEASE_SECONDS
        row = {"claim": claim, "name": name, "holder": holder, "expires": expires, "dummy": _DUMMY}
        client.read("upsert", _LEASES, [row])
        until = expires

    def keep() -> None:
        while not ended.wait(_RENEW_SECONDS):
            with suppress(FootnoteError):
                renew()

    def check() -> None:
        if time.time() >= until - _MARGIN_SECONDS:
            raise BusyError(f"the lease in {client.store} ran out, so nothing was published. Build again.")

    keeper = threading.Thread(target=keep, name="footnote-lease", daemon=True)
    try:
        renew()
        _refuse_others(client, name, claim)
        keeper.start()
        yield check
    finally:
        ended.set()
        if keeper.ident:
            keeper.join()  # else it might renew what is deleted here
        with suppress(FootnoteError):
            client.read("delete", _LEASES, ids=[claim])


def _refuse_others(client: Client, name: str, claim: str) -> None:
    """Raise BusyError if another claim to the name has not expired; remove those that have."""
    condition = f'name == "{name}" and claim != "{claim}"'
    for row in client.rows(_LEASES, condition, ["claim", "holder", "expires"], **STRONG):
        if row["expires"] > time.time():
            raise BusyError(
                f"another build is writing {name} to {client.store}: {row['holder']}. Try again when it is "
                "done; if it was killed, its lease ends within a minute."
            )
        client.read("delete", _LEASES, ids=[row["claim"]])
