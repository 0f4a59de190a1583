"""One generation on Milvus, read: the store that bots answer from.

    <prefix>_Passages   a row a passage: vector, words (see `weights`), stems, sentences, packed token vectors
    <prefix>_Blobs      the articles, their rows by id, the catalogue, the basis, the word statistics, the
                        vocabulary, and last the manifest

Words are counted and phrases checked here where few passages have a word, else by Milvus (`like`).
"""

from __future__ import annotations

import heapq
import itertools
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from index.analysis import stem_words, words
from index.articles.article import Article
from index.encoding.encoder import Basis, Vectors
from index.encoding.packing import PackedTokens, packed_width
from index.errors import DamagedIndexError
from index.storage.database import stored_passage
from index.storage.manifest import parse_manifest
from index.storage.milvus.client import STRONG, Blobs, Client, NoCollectionError, chunks, from_pieces
from index.storage.milvus.weights import Document, Phrase, WordStatistics, dimensions
from index.storage.store import ArticleSummary, Forms, StoredPassage

__all__ = ["ARTICLE", "FLAT_UP_TO", "MilvusStore", "article_name"]

ARTICLE = TypeAdapter(Article)
FLAT_UP_TO = 100_000  # passages; up to there every vector is compared, and the search is exact

_CHUNK = 500  # rows asked for by their keys in one call: some 10 MB of token vectors
_MOST = 16_384  # rows that Milvus returns in one call at most
_FEW = 1_000  # passages whose stems are fetched, to look for phrases in them
_TIES = 50  # more passages than asked for, since those of equal score come in any order
_STEMS = ["row", "is_heading", "stems", "title"]
_PASSAGE = ["row", "article", "key", "first_token", "leads", "sentences"]
_OPENED = ("manifest", "texts", "words", "basis")

Ranked = list[tuple[int, float]]
Terms = Sequence[Sequence[Phrase]]  # the phrases of each term, of which a passage must have one


def article_name(identity: str) -> str:
    """Return the name of the blob that has the row of an article."""
    return f"id/{sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()}"


class MilvusStore:
    """An open generation; safe to use from several threads. Every method raises BusyError as well."""

    def __init__(self, client: Client, prefix: str, name: str) -> None:
        """Open the generation of this name, whose collections begin with `prefix`.

        Raises:
            BusyError: Milvus does not answer.
            DamagedIndexError: it is not there, or is not whole.
        """
        self._client, self._prefix, self._passages = client, prefix, f"{prefix}_Passages"
        self._blobs = Blobs(client, f"{prefix}_Blobs")
        blobs = self._ask(self._blobs.get, _OPENED, **STRONG)
        if "manifest" not in blobs:
            raise DamagedIndexError.of(Path(prefix), "is not complete")
        manifest = parse_manifest(blobs["manifest"], name, Path(prefix))
        self.info = manifest.info(name)
        texts = json.loads(blobs["texts"])
        self._vocabulary: dict[str, int] = texts["vocabulary"]
        self._abbreviations = [tuple(pair) for pair in texts["abbreviations"]]
        table = np.frombuffer(blobs["words"], dtype="<u4").reshape(4, -1)
        self._words = WordStatistics(table[0], table[1:], manifest.passages, *texts["means"])
        basis = np.frombuffer(blobs["basis"], dtype="<f4")
        self.basis: Basis = basis.reshape(-1, manifest.token_width)
        self._dimension, self._pieces = manifest.dimension, texts["pieces"]
        if (count := self._ask(client.count, self._passages)) != manifest.passages:
            what = f"has {count:,} of {manifest.passages:,} passages"
            raise DamagedIndexError.of(Path(prefix), what)

    def check(self) -> None:
        """Do nothing: opening counted the passages, and Milvus verifies its own files."""

    def close(self) -> None:
        """Do nothing: the connection is shared."""

    # Words

    def vocabulary(self) -> Mapping[str, int]:
        """Return the most common words; see `Store`."""
        return self._vocabulary

    def abbreviations(self) -> Sequence[tuple[str, str]]:
        """Return the abbreviations; see `Store`."""
        return self._abbreviations

    def passage_counts(self, terms: Sequence[Forms]) -> list[int]:
        """Return how many passages have each term; see `Store`."""
        return [self._count(self._phrases(forms)) for forms in terms]

    def only_in_headings(self, terms: Sequence[Forms]) -> bool:
        """Tell whether only headings have all of these terms; see `Store`."""
        phrases = [self._phrases(forms) for forms in terms]
        if not phrases or any(self._most(term) == 0 for term in phrases):
            return False
        # The best passages for all of them mostly have them all.
        stems = {stem for term in phrases for phrase in term for stem in phrase}
        best = self._search("words", _any_of(stems), "is_heading == false", _TIES, _STEMS)
        if any(_has_all(_document(hit["entity"]), phrases) for hit in best):
            return False
        return not self._having(phrases, "is_heading == false") and bool(self._having(phrases))

    def best_in_words(
        self, phrases: Forms, count: int, *, headings: bool = True, article: int | None = None
    ) -> Ranked:
        """Return the passages with the highest BM25; see `Store`.

        Of those that have a phrase of several words, the thousand best take part.
        """
        stems = self._phrases(phrases)
        allowed = _allowed(headings, article)
        scores: dict[int, float] = {}
        for phrase in stems:
            if len(phrase) > 1:
                found = self._having([[phrase]], allowed)
                scores |= {row: self._words.score(document, stems) for row, document in found.items()}
        query = self._words.question(phrase for phrase in stems if len(phrase) == 1)
        for hit in self._search("words", query, allowed, count + len(scores) + _TIES):
            scores.setdefault(hit["row"], hit["distance"])
        return heapq.nsmallest(count, scores.items(), key=lambda ranked: (-ranked[1], ranked[0]))

    def with_phrase(self, phrase: str, count: int) -> list[int]:
        """Return the passages with a phrase side by side; see `Store`."""
        stems = self._phrases([phrase])
        if not stems or count < 1 or self._most(stems) == 0:
            return []
        if self._most(stems) <= _FEW:
            found = self._having([stems])
            return sorted(row for row, document in found.items() if document.count(stems[0]))[:count]
        condition = f'stems like "% {" ".join(stems[0])} %"'
        rows = self._client.rows(self._passages, condition, ["row"])
        return [row["row"] for row in self._ask(list, itertools.islice(rows, count))]

    def _phrases(self, forms: Forms) -> list[Phrase]:
        stems = [stem_words(words(form), self.info.language) for form in forms]
        return [phrase for phrase in stems if phrase]

    def _most(self, phrases: Sequence[Phrase]) -> int:
        """Return how many passages can have any of the phrases at most, by the rarest word of each."""
        return sum(min(self._words.counts(stem)[2] for stem in phrase) for phrase in phrases)

    def _count(self, phrases: Sequence[Phrase]) -> int:
        """Count the passages that have any of the phrases."""
        if len({*map(tuple, phrases)}) == 1 and len(phrases[0]) == 1:
            return self._words.counts(phrases[0][0])[2]
        if self._most(phrases) <= _FEW:
            return len(self._having([phrases]))
        options = {"filter": _condition([phrases]), "output_fields": ["count(*)"]}
        return int(self._ask(self._client.read, "query", self._passages, **options)[0]["count(*)"])

    def _having(self, terms: Terms, allowed: str = "") -> dict[int, Document]:
        """Return passages that have all terms, by row: a thousand at most."""
        rarest = min(terms, key=self._most)
        if self._most(rarest) > _FEW:
            allowed = _both(_condition(terms), allowed)
        stems = {min(phrase, key=lambda stem: self._words.counts(stem)[2]) for phrase in rarest}
        hits = self._search("words", _any_of(stems), allowed, _FEW, _STEMS)
        documents = {hit["row"]: _document(hit["entity"]) for hit in hits}
        return {row: one for row, one in documents.items() if _has_all(one, terms)}

    # Vectors

    def nearest(
        self, vector: Vectors, count: int, *, headings: bool = True, article: int | None = None
    ) -> Ranked:
        """Return the passages nearest to a vector; see `Store`."""
        if article is None:
            hits = self._search("dense", vector.tolist(), _allowed(headings, None), count + _TIES)
            scores = {hit["row"]: hit["distance"] for hit in hits}
        else:
            rows = self._query(_allowed(headings, article), ["row", "dense"])
            scores = {row["row"]: float(np.float32(row["dense"]) @ vector) for row in rows}
        return heapq.nsmallest(count, scores.items(), key=lambda ranked: (-ranked[1], ranked[0]))

    def passage_vectors(self, rows: Sequence[int]) -> Vectors:
        """Return the vectors of passages, shape (rows, dimension)."""
        vectors = [row["dense"] for row in self._by_row(rows, ["dense"])]
        return np.asarray(vectors, dtype=np.float32).reshape(-1, self._dimension)

    def token_vectors(self, passages: Sequence[StoredPassage]) -> PackedTokens:
        """Return the packed token vectors of passages, shape (tokens, packed width)."""
        fields = [f"tokens_{number}" for number in range(self._pieces)]
        found = self._by_row([passage.row for passage in passages], fields)
        data = b"".join(from_pieces(row[field] for field in fields) for row in found)
        return np.frombuffer(data, dtype="<u2").reshape(-1, packed_width(self.basis.shape[1]))

    # Content

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """Return passages by row, in the order asked for."""
        return [_passage(row) for row in self._by_row(rows, _PASSAGE)]

    def passages_of(self, article: int) -> list[StoredPassage]:
        """Return every passage of an article, in order."""
        found = self._query(f"article == {article}", _PASSAGE)
        return sorted(map(_passage, found), key=lambda passage: passage.row)

    def rows_of_keys(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the row of a passage with each of these keys, where there is one."""
        rows: dict[bytes, int] = {}
        for some in chunks([key.hex() for key in dict.fromkeys(keys)], _CHUNK):
            for row in self._query(f"key in {some}", ["row", "key"]):
                rows.setdefault(bytes.fromhex(row["key"]), row["row"])
        return rows

    def articles(self, rows: Sequence[int]) -> list[Article]:
        """Return articles by row, in the order asked for."""
        names = [f"article/{row}" for row in rows]
        found = self._ask(self._blobs.get, names)
        articles = {name: ARTICLE.validate_json(data) for name, data in found.items()}
        return [articles[name] for name in names]

    def article_row(self, identity: str) -> int | None:
        """Return the row of the article with this id, or None."""
        found = self._ask(self._blobs.get, [article_name(identity)])
        return int(*found.values()) if found else None

    def catalogue(self) -> list[ArticleSummary]:
        """Return every article's summary, in order."""
        found = self._ask(self._blobs.get, ["catalogue"])
        return [ArticleSummary(*fields) for fields in json.loads(found["catalogue"])]

    # Asking

    def _ask(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        try:
            return ask(*args, **options)
        except NoCollectionError as error:
            raise DamagedIndexError.of(Path(self._prefix), "was removed from Milvus") from error

    def _query(self, condition: str, fields: list[str]) -> list[dict[str, Any]]:
        """Return every row of a passage that meets a condition, in any order."""
        options = {"filter": condition, "output_fields": fields, "limit": _MOST}
        rows = list(self._ask(self._client.read, "query", self._passages, **options))
        if len(rows) < _MOST:
            return rows
        return list(self._ask(list, self._client.rows(self._passages, condition, fields)))

    def _search(
        self, field: str, query: Any, condition: str, count: int, fields: Iterable[str] = ("row",)
    ) -> list[dict[str, Any]]:
        if not query:
            return []
        tuning = {"ef": max(2 * count, 100)} if field == "dense" and self.info.passages > FLAT_UP_TO else {}
        hits = self._ask(
            self._client.read, "search", self._passages, data=[query], anns_field=field,
            filter=condition, limit=min(count, _MOST), output_fields=list(fields),
            search_params={"metric_type": "IP", "params": tuning},
        )  # fmt: skip
        return list(hits[0])

    def _by_row(self, rows: Sequence[int], fields: list[str]) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        for some in chunks(list(dict.fromkeys(rows)), _CHUNK):
            found |= {row["row"]: row for row in self._query(f"row in {some}", ["row", *fields])}
        return [found[row] for row in rows]


def _any_of(stems: Iterable[str]) -> dict[int, float]:
    """Return the sparse vector that finds passages with any of the stems."""
    return {dimension: 1.0 for stem in stems for dimension in dimensions(stem)}


def _passage(row: Mapping[str, Any]) -> StoredPassage:
    place = row["row"], row["article"], bytes.fromhex(row["key"]), row["first_token"], row["leads"]
    return stored_passage(*place, b64decode(row["sentences"]))


def _document(row: Mapping[str, Any]) -> Document:
    return Document(row["stems"].split(), row["title"].split())


def _has_all(document: Document, terms: Terms) -> bool:
    return all(any(document.has(phrase) for phrase in term) for term in terms)


def _allowed(headings: bool, article: int | None) -> str:
    only = f"article == {article}" if article is not None else ""
    return _both("" if headings else "is_heading == false", only)


def _both(*conditions: str) -> str:
    return " and ".join(f"({condition})" for condition in conditions if condition)


def _condition(terms: Terms) -> str:
    """Return the condition that a passage has all terms; stems are letters and digits only."""
    return " and ".join(f"({' or '.join(itertools.chain(*map(_places, term)))})" for term in terms)


def _places(phrase: Phrase) -> Iterator[str]:
    yield f'stems like "% {" ".join(phrase)} %"'
    yield "(" + " and ".join(f'title like "% {stem} %"' for stem in phrase) + ")"
