"""Builds: what is reused, what is said, what is kept, and what a build that fails leaves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from index.articles.formats import read_articles
from index.build import build_index, plan_build
from index.encoding.encoder import Encoder
from index.errors import DamagedIndexError, MissingError, NotWritableError
from index.passages.drafts import Draft, split
from index.progress import Progress
from index.search.search import Search
from index.storage.local import open_generation
from index.storage.verification import verify
from index.storage.writer import write_generation
from tests.conftest import MakeSettings
from tests.index.shelf import SHELF, contents, generations, put, shelve


def vectors_of(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """Return each article's passage and token vectors, bit for bit."""
    generation = open_generation(folder)
    found = {}
    for row, name, _ in generation.article_rows():
        stored = generation.passages_of(row)
        tokens = [generation.tokens(one.first_token, one.first_token + sum(one.tokens)) for one in stored]
        found[name] = (
            generation.passage_vectors([one.row for one in stored]).tobytes(),
            np.concatenate(tokens).tobytes(),
        )
    generation.close()
    return found


def test_first_build_indexes_everything_and_says_so(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    report = shelve(settings, encoder)
    assert (report.articles, report.encoded, report.reused) == (5, 5, 0)
    assert set(report.changes.added) == {"lighthouse", "bakery", "tram", "canal", "orchard"}
    assert report.generation in report.summary()
    assert "5 articles encoded, 0 reused" in report.summary()
    generation = open_generation(settings.index)
    stored = [generation.article(row) for row, _, _ in generation.article_rows()]
    assert stored == list(read_articles(settings.articles).articles)
    assert generation.status().articles == 5
    assert generation.manifest.passages == report.passages
    generation.close()
    assert verify(settings.index) == []


def test_stored_passages_are_those_of_the_articles(make_settings: MakeSettings, encoder: Encoder) -> None:
    """Rows, spans and vectors belong together: a sentence's tokens are its own, packed."""
    settings = make_settings()
    shelve(settings, encoder)
    generation = open_generation(settings.index)
    row = next(row for row, name, _ in generation.article_rows() if name == "lighthouse")
    article = generation.article(row)
    texts = []
    for stored in generation.passages_of(row):
        if stored.passage.is_heading:
            continue
        title = f"{article.title}. "
        read = title + article.text[stored.passage.start : stored.passage.end]
        (encoded,) = encoder.encode_passages([read], generation.basis)
        first = stored.first_token
        for one, count in zip(stored.passage.sentences, stored.tokens, strict=True):
            shift = len(title) - stored.passage.start
            own = (encoded.spans[:, 0] >= one.start + shift) & (encoded.spans[:, 1] <= one.end + shift)
            kept = generation.tokens(first, first + count)
            assert count == own.sum() > 5
            np.testing.assert_allclose(kept.astype(int), encoded.tokens[own].astype(int), atol=1)
            first += count
            texts.append(article.text[one.start : one.end])
    generation.close()
    assert texts[0] == "The lighthouse on Garrow Point was lit for the first time in 1874."
    assert len(texts) == 4


def test_tokens_of_sentences_follow_one_another_without_a_gap(shelf_index: Path) -> None:
    generation = open_generation(shelf_index)
    stored = [one for row, _, _ in generation.article_rows() for one in generation.passages_of(row)]
    counts = [count for one in stored for count in one.tokens]
    starts = [one.first_token for one in stored]
    assert starts == [sum(counts[: one.first_sentence]) for one in stored]
    assert min(counts) > 0
    assert sum(counts) == generation.manifest.tokens
    assert generation.tokens(0, sum(counts)).shape == (sum(counts), generation.manifest.token_width)
    generation.close()


def test_basis_is_kept_over_builds_that_reuse(make_settings: MakeSettings, encoder: Encoder) -> None:
    """Token vectors that are reused are in the basis of their generation, whatever the encoder's is now."""
    settings = make_settings()
    put(settings.articles, SHELF)
    turned = np.ascontiguousarray(encoder.basis[:, ::-1])
    drafts = [Draft(one, split(one, encoder, "en")) for one in read_articles(settings.articles).articles]
    settings.index.mkdir()
    write_generation(settings.index, drafts, encoder, turned, "en", lambda step: None)
    put(settings.articles, {"kiln.txt": "The kiln was lit by Ada Quay."})
    assert build_index(settings, encoder=encoder).reused == 5
    generation = open_generation(settings.index)
    np.testing.assert_array_equal(generation.basis, turned)
    search = Search(generation, encoder)
    assert search("Who lit the kiln?").hits[0].late > 0.6
    assert search("Who kept bees behind the oil store?").hits[0].late > 0.6
    generation.close()


def test_unchanged_articles_are_reused_bit_for_bit(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    first = shelve(settings, encoder)
    before = vectors_of(settings.index)
    put(
        settings.articles,
        {"bakery.md": SHELF["bakery.md"] + "\nIt shuts at noon.\n", "kiln.txt": "Kilns glow."},
    )
    (settings.articles / "tram.md").unlink()
    steps: list[Progress] = []
    report = build_index(settings, steps.append, encoder)
    assert (report.changes.added, report.changes.changed, report.changes.removed) == (
        ("kiln",),
        ("bakery",),
        ("tram",),
    )
    assert (report.reused, report.encoded, report.changes.unchanged) == (3, 2, 3)
    assert report.generation != first.generation
    after = vectors_of(settings.index)
    assert {name: after[name] for name in ("lighthouse", "canal", "orchard")} == {
        name: before[name] for name in ("lighthouse", "canal", "orchard")
    }
    assert after["bakery"] != before["bakery"]
    assert {step.total for step in steps if step.stage == "encoding"} == {2}, (
        "the bakery's title is as it was"
    )
    assert (report.passages_encoded, report.passages_resumed) == (2, 0)
    assert verify(settings.index) == []


def test_moved_article_is_reused_under_its_new_name(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    shelve(settings, encoder)
    (settings.articles / "tram.md").rename(settings.articles / "line-nine.md")
    report = build_index(settings, encoder=encoder)
    assert (report.changes.added, report.changes.removed) == (("line-nine",), ("tram",))
    assert (report.reused, report.encoded) == (5, 0)


def test_nothing_changed_makes_no_generation(make_settings: MakeSettings, encoder: Encoder) -> None:
    settings = make_settings()
    first = shelve(settings, encoder)
    before = contents(settings.index)
    again = build_index(settings)
    assert again.generation == first.generation
    assert (again.reused, again.encoded, again.changes.any) == (5, 0, False)
    assert again.summary().startswith("Nothing has changed")
    assert contents(settings.index) == before


def test_plan_says_what_a_build_would_do_and_writes_nothing(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings()
    put(settings.articles, SHELF)
    assert len(plan_build(settings).added) == 5
    assert not settings.index.exists()
    build_index(settings, encoder=encoder)
    before = contents(settings.index)
    put(settings.articles, {"orchard.md": "Another.", "lighthouse.txt": "Changed.", "questions.jsonl": "{}"})
    (settings.articles / "bakery.md").unlink()
    (settings.articles / "orchard.md").rename(settings.articles / "meadow.md")
    plan = plan_build(settings)
    assert (plan.added, plan.changed, plan.removed) == (("meadow",), ("lighthouse",), ("bakery",))
    assert "question set" in plan.notes[0]
    assert contents(settings.index) == before


def test_changed_language_indexes_everything_anew(make_settings: MakeSettings, encoder: Encoder) -> None:
    shelve(make_settings(), encoder)
    report = build_index(make_settings(language="es"), encoder=encoder)
    assert (report.encoded, report.reused) == (5, 0)
    assert "passages" in report.changes.everything


def test_changed_encoder_indexes_everything_anew_and_the_old_one_is_refused(
    make_settings: MakeSettings, encoder: Encoder, small_encoder: Encoder
) -> None:
    shelve(make_settings(), encoder)
    settings = make_settings(model=small_encoder.model.name)
    assert small_encoder.model.name in plan_build(settings).everything
    report = build_index(settings, encoder=small_encoder)
    assert (report.encoded, report.reused) == (5, 0)
    generation = open_generation(settings.index)
    with pytest.raises(DamagedIndexError, match=r"all-MiniLM-L6-v2.*footnote index build"):
        Search(generation, encoder)
    assert Search(generation, small_encoder)("Who kept bees?").hits[0].article.id == "lighthouse"
    generation.close()


def test_one_file_may_be_the_articles(make_settings: MakeSettings, encoder: Encoder, tmp_path: Path) -> None:
    file = put(tmp_path, {"only.txt": "The only article."}) / "only.txt"
    report = build_index(make_settings(articles=file), encoder=encoder)
    assert report.changes.added == ("only",)


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_as_many_generations_are_kept_as_the_settings_say(
    make_settings: MakeSettings, encoder: Encoder, keep: int
) -> None:
    settings = make_settings(keep=keep)
    made = [shelve(settings, encoder).generation]
    for number in range(3):
        put(settings.articles, {"kiln.txt": f"The kiln was lit {number} times."})
        made.append(build_index(settings, encoder=encoder).generation)
    assert generations(settings.index) == made[-keep:]
    assert made == sorted(made)


def test_folders_of_others_in_the_index_folder_are_left_alone(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """Whoever names a folder of their own as the index loses nothing in it."""
    settings = make_settings()
    others = {"2023-photos/a.txt": "mine", "2024-photos/b.txt": "mine", "1st-draft/c.txt": "mine"}
    put(settings.index, others)
    for number in range(3):
        put(settings.articles, {"kiln.txt": f"The kiln was lit {number} times."})
        build_index(settings, encoder=encoder)
    left = contents(settings.index)
    assert {name: left.get(name) for name in others} == dict.fromkeys(others, b"mine")


def test_reader_keeps_answering_when_its_generation_is_gone(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    settings = make_settings(keep=1)
    first = shelve(settings, encoder)
    reader = open_generation(settings.index)
    before = Search(reader, encoder)("How tall is the lighthouse?")
    for number in range(2):
        put(settings.articles, {"lighthouse.txt": f"Nothing left of it, {number}."})
        build_index(settings, encoder=encoder)
    assert first.generation not in generations(settings.index)
    assert Search(reader, encoder)("How tall is the lighthouse?") == before
    assert reader.article(0).id
    reader.close()


def test_generation_that_served_is_kept_rather_than_one_that_was_never_published(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """A build killed between its rename and CURRENT's leaves one; the one that served comes before it."""
    settings = make_settings(keep=2)
    old = shelve(settings, encoder).generation
    serving = (settings.index / "CURRENT").read_bytes()
    put(settings.articles, {"kiln.txt": "The kiln was lit."})
    build_index(settings, encoder=encoder)
    (settings.index / "CURRENT").write_bytes(serving)
    new = build_index(settings, encoder=encoder).generation
    assert generations(settings.index) == [old, new]


def test_build_with_nothing_to_do_removes_generations_beyond_those_kept(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """A build killed before its last step leaves one more, and perhaps nothing changes for long."""
    settings = make_settings(keep=2)
    old = shelve(settings, encoder).generation
    kept = contents(settings.index)
    for number in range(2):
        put(settings.articles, {"kiln.txt": f"The kiln was lit {number} times."})
        new = build_index(settings, encoder=encoder).generation
    put(settings.index, {name: data for name, data in kept.items() if name.startswith(old)})
    assert build_index(settings, encoder=encoder).generation == new
    assert len(generations(settings.index)) == 2


def test_failed_build_leaves_the_old_generation_and_of_its_own_only_what_it_encoded(
    make_settings: MakeSettings, encoder: Encoder
) -> None:
    """Broken off at each of its steps in turn, by Ctrl-C."""
    settings = make_settings()
    shelve(settings, encoder)
    before = contents(settings.index)
    put(settings.articles, {"kiln.txt": "The kiln was lit."})
    for stage in ("reading", "encoding", "writing"):

        def interrupt(step: Progress, stage: str = stage) -> None:
            if step.stage == stage:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build_index(settings, interrupt, encoder)
        left = contents(settings.index)
        left.pop("kept.vectors", None)
        assert left == before
        assert not list(settings.index.glob(".*"))
    assert build_index(settings, encoder=encoder).changes.added == ("kiln",)


def test_index_folder_that_cannot_be_made_is_said(
    make_settings: MakeSettings, encoder: Encoder, tmp_path: Path
) -> None:
    put(tmp_path, {"file": "in the way", "articles/a.txt": "Body."})
    with pytest.raises(NotWritableError, match="cannot be written"):
        build_index(make_settings(index=tmp_path / "file" / "index"), encoder=encoder)


def test_no_articles_folder_is_missing_and_no_index_is_made(make_settings: MakeSettings) -> None:
    settings = make_settings()
    with pytest.raises(MissingError):
        build_index(settings)
    assert not settings.index.exists()


def test_index_folder_may_have_any_name(
    make_settings: MakeSettings, encoder: Encoder, tmp_path: Path
) -> None:
    settings = make_settings(index=tmp_path / "in dex?x=1#é%20" / "index")
    shelve(settings, encoder)
    generation = open_generation(settings.index)
    assert len(generation.article_rows()) == 5
    generation.close()


def test_report_and_changes_are_frozen(make_settings: MakeSettings, encoder: Encoder) -> None:
    report = shelve(make_settings(), encoder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.articles = 0  # type: ignore[misc]
    assert np.isfinite(report.seconds)
