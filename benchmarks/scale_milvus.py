"""The store on Milvus beside the local one: whether answers are the same, and what it costs.

    python -m benchmarks.scale_milvus same SET...
    python -m benchmarks.scale_milvus size SET PASSAGES... [--rounds 3]

SET is a folder with `articles.jsonl` and `questions.jsonl`. `milvus-lite server` stands in for Milvus, on
this machine: no time is lost on a network, and none is won by a second machine. `same` searches for every
question of a set in both stores; differences go to standard error. `size` makes collections as
`benchmarks.growth` does, with its small encoder. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import growth
from benchmarks.processes import FOOTNOTE, Footnote, megabytes, number, quantile, table

if TYPE_CHECKING:
    from index.search.hits import Hit
    from index.search.search import Search

__all__ = ["main"]

_SHARES = {"p50, ms": 0.5, "p99, ms": 0.99}
_FIRST, _OTHER, _ORDER = "another first hit", "another passage below", "another order below"


@dataclass(frozen=True, slots=True)
class _Server:
    store: str
    data: Path
    process: subprocess.Popen[bytes]

    def peak_mb(self) -> float:
        """Return the most memory that it has had; Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) * 1024 / 1e6


def main() -> None:
    """Measure what is asked for, and print it."""
    as_is = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_is)
    modes = parser.add_subparsers(dest="mode", required=True)
    same = modes.add_parser("same")
    same.add_argument("sets", type=Path, nargs="+", metavar="SET")
    size = modes.add_parser("size")
    size.add_argument("set", type=Path, metavar="SET")
    size.add_argument("passages", type=int, nargs="+", metavar="PASSAGES")
    size.add_argument("--rounds", type=int, default=3, help="of questions; a question's middle one counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if options.mode == "same":
            rows = [_compare(one.resolve(), home / one.name) for one in options.sets]
        else:
            rows = _measure(options.set.resolve(), options.passages, options.rounds, home)
    print(table(list(rows[0]), [list(row.values()) for row in rows]))


@contextmanager
def _serve(home: Path) -> Iterator[_Server]:
    """Start a server with its data in a folder, and stop it at the end."""
    home.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("milvus-lite")
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(home / "data")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([program, "server", *options], stdout=log, stderr=log)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if process.poll() is not None:
                raise SystemExit((home / "log").read_text("utf-8", "replace")[-2_000:])
            time.sleep(0.1)
        yield _Server(f"milvus+http://127.0.0.1:{port}/default", home / "data", process)
    finally:
        process.terminate()
        process.wait()


def _compare(folder: Path, home: Path) -> dict[str, str]:
    """Return a row on the searches for every question of a set in both stores."""
    from index.encoding.encoder import open_encoder
    from index.search.search import Search
    from index.settings import IndexSettings
    from index.storage.engine import engine_of

    local = Footnote(FOOTNOTE, home)
    local.build(folder / "articles.jsonl")
    with _serve(home / "milvus") as server:
        replace(local, store=server.store).build(folder / "articles.jsonl")
        settings = [IndexSettings(index=local.index, store=store) for store in ("", server.store)]
        stores = [engine_of(each).open() for each in settings]
        info = stores[0].info
        encoder = open_encoder(settings[0], info.encoder, info.encoder_fingerprint)
        searches = [Search(store, encoder) for store in stores]
        kinds, farthest = Counter[str](), 0.0
        took: tuple[list[float], list[float]] = [], []
        lines = (folder / "questions.jsonl").read_text("utf-8").splitlines()
        for question in (json.loads(line)["question"] for line in lines):
            pair = [_timed(*each, question) for each in zip(searches, took, strict=True)]
            kind, distance = _difference(pair)
            farthest = max(farthest, distance)
            kinds[kind] += 1
            if kind:
                print(f"{folder.name}: {kind}: {question}", file=sys.stderr)
    return {
        "set": folder.name,
        "passages": number(info.passages),
        "questions": number(len(lines)),
        "equal first ten": f"{kinds[''] / len(lines):.2%}",
        **{kind: str(kinds[kind]) for kind in (_FIRST, _OTHER, _ORDER)},
        "largest difference of a score": f"{farthest:.1e}",
        **_times("local", took[0]),
        **_times("Milvus", took[1]),
    }


def _timed(search: Search, took: list[float], question: str) -> Sequence[Hit]:
    begun = time.perf_counter()
    hits = search(question).hits
    took.append(1e3 * (time.perf_counter() - begun))
    return hits


def _difference(pair: Sequence[Sequence[Hit]]) -> tuple[str, float]:
    """Return what kind of difference there is, if any, and the largest between scores of the same hit."""
    scores, others = ({(hit.article.id, hit.start, hit.text): hit.rank_score for hit in one} for one in pair)
    farthest = max((abs(scores[hit] - others[hit]) for hit in scores.keys() & others), default=0.0)
    if [*scores] == [*others]:
        return "", farthest
    if [*scores][:1] != [*others][:1]:
        return _FIRST, farthest
    return _ORDER if scores.keys() == others.keys() else _OTHER, farthest


def _measure(folder: Path, sizes: Sequence[int], rounds: int, home: Path) -> list[dict[str, str]]:
    """Return a row for each size and store."""
    local, questions = growth.prepare(FOOTNOTE, folder, home)
    rows = []
    for size in sorted(sizes):
        print(f"{size:,} passages", file=sys.stderr)
        articles = home / "growth.jsonl"
        growth.write_articles(articles, folder, size)
        local.empty()
        built = local.build(articles)
        with _serve(home / f"milvus-{size}") as server:
            shared = replace(local, store=server.store)
            copied = shared.build(articles)
            written = server.peak_mb()
            passages, versions = local.passages(), (local, shared) * rounds
            asked = [version.run("ask", "--json", "--questions", questions) for version in versions]
            kept = megabytes(local.index), megabytes(server.data)
            servers = "", f"{number(written)} copying, {number(server.peak_mb())} in all"
        for at, (name, made) in enumerate({"local": built, "Milvus": copied}.items()):
            runs = asked[at::2]
            times = zip(*(_elapsed(ran.out) for ran in runs), strict=True)
            rows.append({
                "passages": number(passages),
                "store": name,
                "build, or copy, s": number(made.seconds),
                "its peak memory, MB": number(made.peak_mb),
                **_times("question", [statistics.median(each) for each in times]),
                "peak memory of a bot, MB": number(max(ran.peak_mb for ran in runs)),
                "of the server, MB": servers[at],
                "bytes a passage": number(1e6 * kept[at] / passages),
            })  # fmt: skip
    return rows


def _elapsed(out: str) -> list[float]:
    return [json.loads(line)["elapsed_ms"] for line in out.splitlines()[growth.WARMING :]]


def _times(name: str, took: Sequence[float]) -> dict[str, str]:
    return {f"{name} {at}": number(quantile(took, share)) for at, share in _SHARES.items()}


if __name__ == "__main__":
    main()
