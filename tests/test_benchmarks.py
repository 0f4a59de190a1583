"""The arithmetic and the writing of the benchmarks; what they measure is never tested."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison import PEERS, passages_of, scores
from benchmarks.growth import fitting, slope
from benchmarks.hostile import exponent, families
from benchmarks.performance import write
from benchmarks.processes import FailedError, bare_environment, quantile, run
from benchmarks.report import MARKER
from benchmarks.stages import Stages

PARAGRAPHS = {"a#0": ("a", [1]), "a#90": ("a", [1, 2]), "b#0": ("b", [1]), "b#50": ("b", [2])}


def test_a_passage_counts_when_it_is_of_the_gold_article_and_paragraph() -> None:
    ranked = [["a#90", "b#0"], ["b#50", "a#0", "a#90"], ["b#heading", "b#0"], []]
    gold = [("a", 2), ("a", 2), ("b", 1), ("b", 1)]
    assert scores(ranked, gold, PARAGRAPHS) == {"top_1": 0.25, "recall_10": 0.75}


def test_only_the_first_ten_passages_count() -> None:
    ranked = [["b#0"] * 10 + ["a#0"], ["b#0"] * 9 + ["a#0"]]
    assert scores(ranked, [("a", 1), ("a", 1)], PARAGRAPHS) == {"top_1": 0.0, "recall_10": 0.5}


def test_peers_get_the_passages_to_the_letter_and_no_heading() -> None:
    shown = {
        "id": "a",
        "heading": "Bees",
        "text": "Bees sleep.\n\nIn flowers.",
        "passages": [
            {"start": 0, "end": 4, "paragraphs": [0]},
            {"start": 0, "end": 11, "paragraphs": [1]},
            {"start": 13, "end": 24, "paragraphs": [2]},
        ],
    }
    found = [(one["id"], one["text"], one["paragraphs"]) for one in passages_of(iter([shown]))]
    assert found == [("a#0", "Bees sleep.", [1]), ("a#13", "In flowers.", [2])]


@pytest.mark.parametrize(("power", "factor"), [(1.0, 3.0), (0.5, 0.01), (0.0, 7.0)])
def test_the_slope_is_the_power_of_the_size(power: float, factor: float) -> None:
    sizes = [1_000, 10_000, 100_000]
    assert slope(sizes, [factor * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(one) for one in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([2.0], 0.99)) == (50.0, 99.0, 2.0)


def test_sizes_that_the_disk_has_no_room_for_are_left_out() -> None:
    assert fitting([10_000, 1_000_000, 1_000], free=10**9) == [1_000, 10_000]


def test_a_stage_inside_another_is_taken_out_of_it() -> None:
    class Asked:
        now = 0.0

        def outer(self) -> None:
            self.now += 0.002
            self.inner()
            self.now += 0.001

        def inner(self) -> None:
            self.now += 0.5

    asked = Asked()
    stages = Stages(clock=lambda: asked.now)
    stages.watch(Asked, "outer", "outer")
    stages.watch(Asked, "inner", "inner")
    asked.outer()
    asked.inner()
    assert stages.spent == {"outer": pytest.approx(3), "inner": pytest.approx(1000)}
    stages.start()
    assert stages.spent == {"outer": 0, "inner": 0}


def test_a_process_that_fails_tells_what_it_wrote() -> None:
    with pytest.raises(FailedError, match="no such weights"):
        run([sys.executable, "-c", "raise SystemExit('no such weights')"], bare_environment())
    assert run([sys.executable, "-c", "print(3)"], bare_environment()).out == "3\n"


def test_every_peer_has_a_program_and_exact_versions() -> None:
    folder = Path(__file__).parents[1] / "benchmarks" / "peers"
    for name in PEERS:
        assert (folder / f"{name}.py").exists()
        pins = (folder / f"{name}.txt").read_text(encoding="utf-8").split()
        assert pins
        assert all(
            "==" in pin and "+" not in pin and not pin.startswith(("nvidia", "triton")) for pin in pins
        )


def _row(peer: str, mode: str, times: float, top: float) -> dict[str, Any]:
    figures = "cold_s ms_p50 ms_p99 peak_mb import_s build_s build_mb index_mb".split()
    return {
        "peer": peer,
        "mode": mode,
        "versions": {peer: "1.2.3"},
        **dict.fromkeys(figures, times),
        "top_1": top,
        "recall_10": 1.0,
        "program_s": 0.8,
        "program_mb": 300.0,
        "graph_mb": 90.0,
    }


def _record() -> dict[str, Any]:
    machine = {"processor": "a processor", "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11.7"}
    part = {"measured": "2026-11-26 21:35 UTC", "command": "make bench", "machine": machine}
    rows = [
        _row("footnote", "footnote", 2.0, 0.9),
        _row("txtai", "hybrid", 5.0, 0.8),
        _row("haystack", "dense", 1.0, 0.95),
        {"peer": "langchain", "mode": "dense", "error": "no environment"},
    ]
    names = (
        "passages build_s encode_s index_mb bytes_each open_s resident_mb peak_mb empty_mb ms_p50 ms_p99 "
        "above_ms_p50 above_ms_p99 recall_10"
    ).split()
    growth = {
        "sets": ["bees"],
        "questions": 300,
        "encode_ms": 4.0,
        "build_peak_mb": 900.0,
        "rows": [{**dict.fromkeys(names, 1.0), "passages": size} for size in (1_000, 10_000)],
        "slopes": {"build_s": 0.98},
        "left_out": [1_000_000],
        "error": "",
    }
    peers = [{"set": "bees", "passages": 30, "questions": 20, "rows": rows}]
    return {
        "parts": {
            "peers": {**part, "found": peers, "once_s": 20.0},
            "growth": {**part, "found": growth},
            "start": {**part, "error": "no such module"},
            "dense": {**part, "markdown": "# By size\n\n| passages | ms |\n"},
        }
    }


def test_the_page_keeps_what_is_above_the_marker_and_shows_what_was_lost(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# By hand\n\n{MARKER}\n\nof before\n", encoding="utf-8")
    write(_record(), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# By hand\n\n{MARKER}\n")
    assert "of before" not in text
    assert "| txtai, hybrid | 2.5 | 2.5 | 2.5 | 2.5 | 2.5 | 2.5 | +0.100 |" in text
    assert "| Haystack, dense | **0.5** |" in text
    assert "**-0.050**" in text
    assert "no environment" in text
    assert "slope 0.98" in text
    assert "1,000,000 passages" in text
    assert "no such module" in text
    assert "\n### By size\n\n| passages | ms |\n" in text
    assert json.loads((tmp_path / "performance.json").read_text(encoding="utf-8")) == _record()
    assert (tmp_path / "performance.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_the_exponent_is_that_of_the_longest_times_and_endless_where_one_had_no_end() -> None:
    sizes = [10_000, 20_000, 40_000]
    assert exponent(sizes, [0.0, 0.5, 2.0]) == pytest.approx(2.0)
    assert exponent(sizes, [0.0, 0.0001, 0.0002]) == 0.0
    assert exponent(sizes, [1.0, float("inf"), float("inf")]) == float("inf")


def test_every_family_of_hostile_texts_grows_with_its_size() -> None:
    for text in families().values():
        assert 0.9 < len(text(20_000)) / len(text(10_000)) / 2 < 1.1
