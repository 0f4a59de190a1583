"""One generation written aside: database, word index, vectors, token vectors, then the manifest.

Everything is synced before the manifest names it. After a crash, the next build removes what is left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from index.articles.article import Article
from index.encoding.encoder import Basis, Encoder
from index.files import checksum, sync, write_file
from index.passages.encoder_input import searched_text
from index.passages.splitting import Passage
from index.storage.database import DATABASE, DatabaseWriter
from index.storage.local import BASIS, TOKENS, WORDS
from index.storage.manifest import MANIFEST, TEMPORARY, Manifest
from index.storage.store import StoredPassage
from index.storage.vector_cache import PassageVectors
from index.storage.vectors import EXACT, VECTORS, write_vectors
from index.storage.words import WordIndexWriter

__all__ = ["GenerationWriter"]


class GenerationWriter:
    """Writes a generation article by article to a temporary folder, which it removes when left by an error.

    Every method raises OSError or sqlite3.OperationalError where it cannot write.
    """

    def __init__(self, folder: Path, encoder: Encoder, basis: Basis, settings: dict[str, Any]) -> None:
        """Begin a generation below the index folder; `settings` is what passages depend on."""
        self.home = folder / f"{TEMPORARY}{os.getpid()}"
        self._encoder = encoder
        self._basis = basis
        self._settings = settings
        self._articles = self._passages = self._sentences = self._tokens = 0
        self.home.mkdir()
        self._database = DatabaseWriter(self.home / DATABASE)
        self._words = WordIndexWriter(self.home / WORDS, settings["language"])
        self._token_file: BinaryIO = (self.home / TOKENS).open("wb")
        self._vector_file: BinaryIO = (self.home / EXACT).open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for part in (self._database, self._words, self._token_file, self._vector_file):
            part.close()
        if error is not None:
            shutil.rmtree(self.home, ignore_errors=True)

    def add(
        self,
        article: Article,
        abbreviations: Sequence[tuple[str, str]],
        passages: Sequence[tuple[Passage, bytes, PassageVectors]],
    ) -> None:
        """Add an article, the abbreviations that it introduces, and its passages with key and vectors."""
        self._database.add_article(self._articles, article, abbreviations)
        for passage, key, vectors in passages:
            place = (self._passages, self._articles, passage, key, self._tokens)
            stored = StoredPassage(*place, vectors.token_counts)
            self._database.add_passage(stored)
            text = searched_text(article, passage, self._settings["language"])
            self._words.add(stored, article.subject, text)
            self._vector_file.write(vectors.dense.tobytes())
            self._token_file.write(vectors.tokens.tobytes())
            self._passages += 1
            self._sentences += len(passage.sentences)
            self._tokens += len(vectors.tokens)
        self._articles += 1

    def finish(self, previous: str) -> Manifest:
        """Write and sync what is left, and return the manifest; `previous` is the generation that serves."""
        self._database.finish()
        self._words.finish()
        self._token_file.close()
        self._vector_file.close()
        write_vectors(self.home, self._encoder.dimension)
        write_file(self.home / BASIS, self._basis.tobytes())
        for name in (DATABASE, TOKENS, VECTORS, EXACT):
            if (self.home / name).exists():
                sync(self.home / name)
        manifest = self._manifest(previous)
        write_file(self.home / MANIFEST, manifest.to_bytes())
        sync(self.home)
        return manifest

    def _manifest(self, previous: str) -> Manifest:
        files = sorted(path for path in self.home.rglob("*") if path.is_file())
        return Manifest(
            built=datetime.now(UTC).isoformat(timespec="seconds"),
            encoder=self._encoder.model.name,
            encoder_fingerprint=self._encoder.model.fingerprint,
            passage_settings=self._settings,
            articles=self._articles,
            passages=self._passages,
            sentences=self._sentences,
            tokens=self._tokens,
            dimension=self._encoder.dimension,
            token_width=self._basis.shape[1],
            files={path.relative_to(self.home).as_posix(): checksum(path) for path in files},
            previous=previous,
        )
