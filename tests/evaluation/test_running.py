"""Real questions asked of real indexes: what the records say."""

from __future__ import annotations

from evaluation.records import Asked, Kind
from evaluation.runs import Run
from tests.evaluation.conftest import HOSTILE


def asked(run: Run, identity: str, kind: Kind) -> Asked:
    (found,) = (
        record for one in run.sets for record in one.records if (record.id, record.kind) == (identity, kind)
    )
    return found


def test_every_question_is_asked_and_the_answerable_again_without_their_article(run: Run) -> None:
    harbour, bees = run.sets
    counts = {kind: harbour.count(kind) for kind in Kind}
    assert counts == {Kind.ANSWERABLE: 5, Kind.UNANSWERABLE: 2, Kind.OTHER: 5}
    assert (bees.count(Kind.ANSWERABLE), bees.count(Kind.UNANSWERABLE), bees.count(Kind.OTHER)) == (1, 1, 0)


def test_an_answered_question_has_its_quote_places_and_signals(run: Run) -> None:
    record = asked(run, "c2", Kind.ANSWERABLE)
    assert record.quote == "The rind is washed with cider twice a week."
    assert record.cited[0] == ("cheese", 2)
    assert (record.gold, record.answers) == ((("cheese", 2),), ("cider",))
    assert (record.title, record.shown) == ("A cheese that waits", 1)
    assert len(record.cited) <= 10
    assert record.signals
    assert record.elapsed_ms > 0


def test_another_subject_is_one_whose_article_cannot_be_cited(run: Run) -> None:
    subjects = {"f": "ferry", "c": "cheese", "k": "clock"}
    for one in run.sets[0].records:
        if one.kind is Kind.OTHER:
            assert subjects[one.id[0]] not in {article for article, _ in one.cited}
            assert one.gold == ()
            assert one.confidence < asked(run, one.id, Kind.ANSWERABLE).confidence


def test_every_quote_is_found_to_the_letter_whatever_is_in_the_text(run: Run) -> None:
    record = asked(run, "f2", Kind.ANSWERABLE)
    assert HOSTILE in " ".join(record.quotes)
    assert all(record.exact for one in run.sets for record in one.records)


def test_the_measures_say_what_the_records_do(run: Run) -> None:
    measures = dict(run.sets[0].measures)
    assert measures["quote_right"].value == 1
    assert measures["top_3"].value == 1
    assert measures["exact"].value == 1
    assert measures["other_answered"].value == 0
    assert dict(run.sets[1].measures)["auroc_other"].value is None


def test_a_run_tells_how_it_was_made_and_nothing_of_discord(run: Run) -> None:
    told = dict(run.settings)
    assert (told["answer_at"], told["model"]) == (0.3, "all-MiniLM-L6-v2")
    assert not any("discord" in name or name in {"articles", "index"} for name in told)
    assert len(run.encoder_fingerprint) == 64
