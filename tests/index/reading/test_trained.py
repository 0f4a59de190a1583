"""The reader that ships: probabilities for any question, answers' words, and what it does to a search."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from index.build import build_index
from index.encoding.encoder import Encoder
from index.errors import NoModelError
from index.reading.evidence import gather
from index.reading.reader import Reader, Reading, read_first, with_reading
from index.reading.registry import open_readers, reader_name
from index.reading.trained import GRAPH, READ, TrainedReader, find_graph
from index.search.search import Search
from index.settings import IndexSettings
from index.storage.local import open_store
from index.storage.store import Store
from tests.index.shelf import put
from tests.strategies import hostile_text

ARTICLE = """# The Gullery Pool

## Opening hours
The baths open at half past six on weekdays. On Sundays they stay shut.

## Prices
| Ticket | Price |
| --- | --- |
| Grown-ups | 4.20 marks |
| Children | 1.90 marks |

## Rules
- Diving is forbidden at the shallow end.
- Children below eight need somebody who is at least sixteen beside them.

Ilse Varga has run the place since 2004. Before that she taught at a school in Orlen.
"""


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Search]:
    """Index a small article, once, and search it."""
    home = tmp_path_factory.mktemp("pool")
    other = {"title": "The Harbour", "text": "Ferries leave at noon. Nobody may fish from the quay."}
    put(home / "articles", {"pool.md": ARTICLE, "harbour.jsonl": json.dumps(other)})
    settings = IndexSettings(articles=home / "articles", index=home / "index")
    build_index(settings, encoder=encoder)
    store = open_store(settings.index)
    yield Search(store, encoder)
    store.close()


@pytest.fixture(scope="module")
def reader(encoder: Encoder) -> Reader:
    """Open the reader that ships for the default encoder."""
    (reader,) = open_readers(IndexSettings(), encoder)
    return reader


@given(hostile_text())
def test_probabilities_of_any_question_are_those_of_its_sentences_and_none(
    search: Search, reader: Reader, text: str
) -> None:
    found = search(text)
    if not found.hits:
        assert read_first(found, [reader], search.store) is found
        return
    reading = reader.read(found, search.store)
    assert reading is not None
    counts = [len(hit.sentences) for hit in found.hits[:READ]]
    assert [len(answers) for answers in reading.sentences] == counts
    shares = [share for answers in reading.sentences for share in answers]
    assert all(0 <= share <= 1 for share in (*shares, reading.none))
    assert sum(shares) + reading.none == pytest.approx(1)
    for hit, answers in zip(found.hits, reading.sentences, strict=False):
        assert not any(share for one, share in zip(hit.sentences, answers, strict=True) if not one.quotable)
    read = with_reading(found, reading)
    assert sorted(hit.start for hit in read.hits) == sorted(hit.start for hit in found.hits)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("who is in charge there", "Ilse Varga has run the place since 2004."),
        ("what does it cost for a kid", "Children | 1.90 marks"),
        ("can i go with my seven year old on his own", "Children below eight need somebody"),
        ("what did she do earlier", "Before that she taught at a school in Orlen."),
    ],
)
def test_questions_in_other_words_find_their_sentence(
    search: Search, reader: Reader, question: str, sentence: str
) -> None:
    read = read_first(search(question), [reader], search.store)
    best = read.hits[0].best_sentence
    assert best.text.startswith(sentence)
    assert best.answer == max(one.answer or 0.0 for hit in read.hits for one in hit.sentences)


def test_what_search_found_is_evidence_for_a_few_hits(search: Search) -> None:
    found = search("when do ferries leave the harbour")
    evidence = gather(found, search.store, search.encoder, 2)
    assert len(evidence.tokens) == len(evidence.parts) == len(evidence.features) == 2
    assert evidence.question.shape[1] == evidence.tokens.shape[2]
    assert evidence.words.shape == evidence.parts.shape
    assert all(evidence.words[evidence.parts >= 0] > 0)
    assert len(evidence.asked_words) == len(evidence.question)
    assert evidence.matches.shape == (*evidence.quotable.shape, len(evidence.question))
    with pytest.raises(ValueError, match="nothing to read"):
        gather(search("?!"), search.store, search.encoder, 2)


class Unwell:
    """A reader that cannot read now."""

    name = "unwell"

    def read(self, found: object, store: Store) -> Reading | None:
        return None


def test_the_first_reader_that_can_read_reads(search: Search, reader: Reader) -> None:
    found = search("who runs the pool")
    read = read_first(found, [Unwell(), reader], search.store)
    assert read.reading is not None
    assert read.reading.reader == "trained"
    assert read_first(found, [Unwell()], search.store) is found


def test_a_hit_with_the_identifier_asked_for_stays_first(search: Search) -> None:
    found = search("is E1042 about diving")
    best, *others = found.hits
    first = dataclasses.replace(best.sentences[0], match=dataclasses.replace(best.sentences[0].match, held=1))
    best = dataclasses.replace(best, sentences=(first, *best.sentences[1:]))
    hits = (best, *others)
    found = dataclasses.replace(found, hits=hits)
    shares = [[0.0] * len(hit.sentences) for hit in hits]
    shares[1][0] = 0.9
    read = with_reading(found, Reading("made", shares, 0.1))
    assert read.hits[0].start == hits[0].start
    assert read.hits[0].best_sentence.match.held == 1


def test_the_reader_is_for_the_encoder_that_it_was_trained_with(encoder: Encoder, tmp_path: Path) -> None:
    fingerprint = encoder.model.fingerprint
    assert reader_name(IndexSettings(), fingerprint) == "trained"
    assert reader_name(IndexSettings(), "ff" * 32) == ""
    assert reader_name(IndexSettings(reader="none"), fingerprint) == ""
    assert open_readers(IndexSettings(reader="none"), encoder) == ()
    assert find_graph("ff" * 32) is None
    damaged = tmp_path / "reader.onnx"
    damaged.write_bytes(GRAPH.read_bytes()[:-1] + b"?")
    damaged.with_suffix(".json").write_bytes(GRAPH.with_suffix(".json").read_bytes())
    with pytest.raises(NoModelError, match=r"reader\.onnx is damaged: install Footnote again"):
        TrainedReader(damaged, encoder)
