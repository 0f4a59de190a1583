"""Generations on Milvus: copied from the index folder, published by one alias, kept, rolled back, dropped.

A generation is the collections `footnote_<collection>_<generation>_Passages` and `_Blobs`. Its manifest is
written last, so a copy without one is what an interrupted build left. The alias `footnote_<collection>` is on
the passages of the generation that serves. Whatever writes holds the lease of the collection.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import astuple
from typing import Any

import numpy as np
from pymilvus import DataType

from index.encoding.packing import packed_width
from index.errors import BusyError, DamagedIndexError, MissingError, NoIndexError
from index.passages.encoder_input import searched_text
from index.settings import IndexSettings
from index.storage.database import pack_sentences
from index.storage.inspection import GenerationSummary, State, generation_number
from index.storage.local import LocalStore, open_store
from index.storage.manifest import Manifest, parse_manifest, read_manifest
from index.storage.milvus.client import (
    FLAT,
    STRONG,
    TEXT,
    Blobs,
    NoCollectionError,
    connect,
    lease,
    to_pieces,
)
from index.storage.milvus.store import ARTICLE, FLAT_UP_TO, MilvusStore, article_name
from index.storage.milvus.weights import Document, WordCounter, WordStatistics
from index.storage.store import StoredPassage, StoreInfo

__all__ = ["MilvusEngine", "collection_prefix"]

_GRAPH = {"index_type": "HNSW", "metric_type": "IP", "params": {"M": 32, "efConstruction": 200}}
_INVERTED = {"index_type": "INVERTED"}
_SPARSE = {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"}

Step = Callable[[int, int], None]


def collection_prefix(settings: IndexSettings) -> str:
    """Return what the names in Milvus of a collection begin with; what follows has capitals, which it lacks.

    Milvus has no hyphens in names, and Footnote's collections no underscores.
    """
    return f"footnote_{settings.collection or 'default'}".replace("-", "_")


class MilvusEngine:
    """The generations of one collection on Milvus; see `LocalEngine`."""

    def __init__(self, settings: IndexSettings) -> None:
        """Take the settings; Milvus is connected to when it is first asked."""
        self._folder, self.place = settings.index, settings.store
        self._client = connect(settings.store, settings.store_token_file)
        self._alias = collection_prefix(settings)
        self._pattern = re.compile(rf"{self._alias}_(\d{{6,}})_([0-9a-f]{{16}})_(Passages|Blobs)")

    def serving(self) -> str:
        """Return the name of the generation that the alias is on."""
        try:
            target = self._client.read("describe_alias", self._alias)["collection_name"]
        except NoCollectionError as error:
            raise NoIndexError(f"no index at {self.place}: run `footnote index build` first.") from error
        if not (match := self._pattern.fullmatch(target)):
            raise DamagedIndexError(
                f"the alias {self._alias} at {self.place} is on {target}, not on an index."
            )
        return f"{match[1]}-{match[2]}"

    def open(self) -> MilvusStore:
        """Open the generation that serves."""
        return self._open(self.serving())

    def status(self) -> StoreInfo:
        """Return the figures of the generation that serves, once it is found complete."""
        return self.open().info

    def last_good(self, but: Collection[str] = ()) -> MilvusStore:
        """Open the generation that serves, or else the newest that is complete and not among `but`."""
        for name in dict.fromkeys([self.serving(), *self._complete()]):
            if name not in but:
                with suppress(DamagedIndexError):
                    return self._open(name)
        raise NoIndexError(f"no other generation at {self.place}: run `footnote index build`.")

    def history(self) -> list[GenerationSummary]:
        """Return the generations that are complete, newest first."""
        serving = self.serving()
        return [
            GenerationSummary(
                name, State.SERVING if name == serving else State.KEPT, one.built, one.encoder,
                one.articles, one.passages, one.info(name).bytes,
            )
            for name, one in self._complete().items()
        ]  # fmt: skip

    def problems(self, name: str) -> Iterator[str]:
        """Yield a line where a generation is not complete."""
        try:
            self._open(name)
        except DamagedIndexError as error:
            yield str(error)

    def verify(self) -> list[str]:
        """Return a line on each generation that is not complete."""
        self.serving()
        return [problem for name in self._names() for problem in self.problems(name)]

    def roll_back(self, name: str | None = None) -> str:
        """Put the alias on another generation; its name or number, or None for the newest before this one."""
        with lease(self._client, self._alias) as check:
            serving, names = self.serving(), list(self._complete())
            if name is None:
                matches = names[names.index(serving) + 1 :][:1] if serving in names else names[:1]
            else:
                number = name.lstrip("0")
                matches = [one for one in names if name == one or number == str(generation_number(one))]
            if len(matches) != 1:
                wanted = f"one generation {name!r}" if name else f"generation before {serving}"
                raise MissingError(
                    f"there is no {wanted} at {self.place}: `footnote index history` lists them."
                )
            self._open(matches[0])
            check()
            self._point_at(matches[0])
            return matches[0]

    def prune(self, keep: int) -> list[str]:
        """Drop all but the serving generation and the newest others, `keep` in all, and unfinished ones."""
        with lease(self._client, self._alias):
            self._open(self.serving())
            return self._clean_up(keep)

    def publish(self, keep: int, progress: Step) -> None:
        """Copy the generation that serves in the index folder, unless it serves here; then drop old ones.

        Raises:
            BusyError: another build holds the lease, or Milvus does not answer; the alias is as it was.
        """
        with closing(open_store(self._folder)) as local:
            local.check()
            name, previous = local.info.generation, ""
            with suppress(NoIndexError, DamagedIndexError):
                previous = self.serving()
            if previous == name and not any(self.problems(name)):
                return
            with lease(self._client, self._alias) as check:
                if any(self.problems(name)):
                    if previous == name:  # it is damaged, and Milvus drops nothing that an alias is on
                        self._client.read("drop_alias", self._alias)
                    self._drop(name)
                    self._copy(local, read_manifest(self._folder / name), progress)
                check()
                self._point_at(name)
                self._clean_up(max(keep, 2), previous)  # bots read the previous one until they have swapped

    def _prefix(self, name: str) -> str:
        return f"{self._alias}_{name.replace('-', '_')}"

    def _open(self, name: str) -> MilvusStore:
        return MilvusStore(self._client, self._prefix(name), name)

    def _names(self) -> set[str]:
        """Return the generations of which there is any collection."""
        matches = filter(None, map(self._pattern.fullmatch, self._client.read("list_collections")))
        return {f"{match[1]}-{match[2]}" for match in matches}

    def _complete(self) -> dict[str, Manifest]:
        """Return the generations that have a manifest, newest first: machines number theirs separately."""
        found: dict[str, Manifest] = {}
        for name in self._names():
            with suppress(NoCollectionError, DamagedIndexError):
                blobs = Blobs(self._client, f"{self._prefix(name)}_Blobs").get(["manifest"], **STRONG)
                for data in blobs.values():
                    found[name] = parse_manifest(data, name, self._folder)
        # Two builds may end in the same second.
        order = {name: (one.built, generation_number(name)) for name, one in found.items()}
        return {name: found[name] for name in sorted(found, key=order.__getitem__, reverse=True)}

    def _point_at(self, name: str) -> None:
        collection = f"{self._prefix(name)}_Passages"
        try:
            self._client.read("alter_alias", collection, self._alias)
        except NoCollectionError:
            self._client.read("create_alias", collection, self._alias)

    def _clean_up(self, keep: int, previous: str = "") -> list[str]:
        """Keep the serving generation and complete others, `previous` first, `keep` in all; drop the rest."""
        serving = self.serving()
        others = sorted(self._complete(), key=lambda name: (name != serving, name != previous))
        dropped = sorted(self._names() - {serving, *others[:keep]})
        for name in dropped:
            self._drop(name)
        return dropped

    def _drop(self, name: str) -> None:
        for part in ("Blobs", "Passages"):  # the manifest first
            self._client.write("drop_collection", f"{self._prefix(name)}_{part}")

    def _copy(self, local: LocalStore, manifest: Manifest, progress: Step) -> None:
        """Write a generation, index and load it, compare its count, and then write its manifest."""
        client, prefix = self._client, self._prefix(local.info.generation)
        passages, blobs = f"{prefix}_Passages", Blobs(client, f"{prefix}_Blobs")
        counter, most = WordCounter(), 0
        for stored, document in _passages(local):
            counter.add(document)
            most = max(most, sum(stored.token_counts))
        token_bytes = packed_width(manifest.token_width) * np.dtype(np.uint16).itemsize
        words, pieces = counter.finish(), len(to_pieces(bytes(most * token_bytes)))
        numbers = dict.fromkeys(("row", "article", "first_token", "leads"), DataType.INT64)
        vectors = {"dense": {"dim": manifest.dimension}, "words": DataType.SPARSE_FLOAT_VECTOR}
        tokens = [f"tokens_{number}" for number in range(pieces)]
        texts = dict.fromkeys(["sentences", "stems", "title", *tokens], TEXT)
        client.create(passages, {**numbers, **vectors, **texts, "is_heading": DataType.BOOL, "key": 64})
        client.create(f"{prefix}_Blobs", Blobs.FIELDS)
        client.add(passages, _rows(local, words, pieces, progress), "insert")
        blobs.put(_blobs(local, words, pieces))
        dense = FLAT if manifest.passages <= FLAT_UP_TO else _GRAPH
        client.index(passages, {"dense": dense, "words": _SPARSE, "article": _INVERTED, "key": _INVERTED})
        client.index(f"{prefix}_Blobs", {"dummy": FLAT})
        if (count := client.count(passages)) != manifest.passages:
            raise BusyError(f"Milvus has {count:,} of {manifest.passages:,} passages. Build again.")
        blobs.put([("manifest", manifest.to_bytes())])
        client.write("flush", f"{prefix}_Blobs")


def _passages(local: LocalStore) -> Iterator[tuple[StoredPassage, Document]]:
    language = local.info.language
    for summary in local.catalogue():
        (article,) = local.articles([summary.row])
        for stored in local.passages_of(summary.row):
            text = searched_text(article, stored.passage, language)
            yield stored, Document.of(article.subject, text, language)


def _rows(local: LocalStore, words: WordStatistics, pieces: int, progress: Step) -> Iterator[dict[str, Any]]:
    """Yield the rows of passages with their vectors."""
    for stored, document in _passages(local):
        tokens = to_pieces(local.token_vectors([stored]).tobytes())
        tokens += [""] * (pieces - len(tokens))
        yield {
            "row": stored.row, "article": stored.article, "first_token": stored.first_token,
            "leads": len(stored.passage.leads), "is_heading": stored.passage.is_heading,
            "key": stored.key.hex(), "dense": local.passage_vectors([stored.row])[0],
            "words": words.vector(document), "stems": _spaced(document.text),
            "title": _spaced(document.title), "sentences": b64encode(pack_sentences(stored)).decode(),
            **{f"tokens_{number}": piece for number, piece in enumerate(tokens)},
        }  # fmt: skip
        progress(stored.row + 1, local.info.passages)


def _blobs(local: LocalStore, words: WordStatistics, pieces: int) -> Iterator[tuple[str, bytes]]:
    """Yield the blobs of a generation but its manifest."""
    texts = {
        "vocabulary": dict(local.vocabulary()), "abbreviations": local.abbreviations(),
        "means": [words.mean_text, words.mean_title], "pieces": pieces,
    }  # fmt: skip
    catalogue = local.catalogue()
    yield "texts", json.dumps(texts).encode()
    yield "words", np.vstack([words.known, words.table]).astype("<u4").tobytes()
    yield "basis", local.basis.astype("<f4").tobytes()
    yield "catalogue", json.dumps(list(map(astuple, catalogue))).encode()
    for summary in catalogue:
        yield article_name(summary.id), str(summary.row).encode()
        yield f"article/{summary.row}", ARTICLE.dump_json(*local.articles([summary.row]))


def _spaced(stems: Sequence[str]) -> str:
    """Return stems between spaces, cut at a space to what a VARCHAR holds."""
    text = f" {' '.join(stems)} "
    cut = text.encode()[: TEXT - 1].decode(errors="ignore")
    return text if len(cut) == len(text) else f"{cut.rsplit(' ', 1)[0]} "
