"""One index and several processes: some serve it while another builds it again and again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.answering.answer import Verdict
from bot.service.service import Service
from index.storage.manifest import read_pointer
from index.storage.verification import verify
from tests.bot.conftest import Footnote, environment
from tests.bot.services import BOUND, serving

ROOT = Path(__file__).parents[2]
WHO = "In which year was the fog bell of Gull Rock cast?"
BUILDS = 6
"""More than are kept, so that those which serve are removed under whoever reads them."""

BUILDER = """
import sys
from pathlib import Path
from index.build import build_index
from index.encoding.models import find_model
from index.encoding.reference import build_encoder
from tests.bot.services import settings_of

home = Path(sys.argv[1])
settings = settings_of(home)
encoder = build_encoder(settings.index, find_model(settings.model))
for year in range(1901, 1901 + int(sys.argv[2])):
    text = f"The fog bell\\n\\nThe fog bell of Gull Rock was cast in the year {year}.\\n"
    (home / "articles/bell.txt").write_text(text)
    print(build_index(settings, encoder=encoder).generation, year, flush=True)
    sys.stdin.readline()
"""
SERVER = f"""
import asyncio, sys
from pathlib import Path
from tests.bot.services import serving

async def serve():
    async with serving(Path(sys.argv[1])) as service:
        for line in iter(sys.stdin.readline, ""):
            answer = await service.ask({WHO!r})
            print(answer.generation, answer.verdict, answer.quotes[0].text, sep="|", flush=True)
            await asyncio.sleep(0.05)

asyncio.run(serve())
"""
HOLDER = """
import sys
from pathlib import Path
from index import build_index
from tests.bot.services import settings_of

build_index(settings_of(Path(sys.argv[1])), lambda step: (print("begun", flush=True), sys.stdin.read(1)))
"""


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a program of the tests beside us; it is killed at the end of the block."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def said(other: subprocess.Popen[str], told: str = "") -> str:
    """Tell a process to go on, where it waits for that, and return the next line that it prints."""
    assert other.stdin is not None
    assert other.stdout is not None
    if told:
        other.stdin.write(told)
        other.stdin.flush()
    return other.stdout.readline().strip()


async def test_two_servers_follow_a_process_that_builds_again_and_again(home: Path) -> None:
    """Each answer is that of the generation it names, and none fails; in the end both have the newest."""
    years: dict[str, str] = {}
    answers: list[tuple[str, str, str]] = []
    with process(SERVER, home) as server, process(BUILDER, home, BUILDS) as builder:
        async with serving(home) as service:
            first = (await service.status()).generation
            for build in range(BUILDS):
                generation, year = (await asyncio.to_thread(said, builder, "\n" if build else "")).split()
                years[generation] = year
                answers.extend(await ask_both(service, server))
            async with asyncio.timeout(BOUND):
                while {name for name, _, _ in answers[-2:]} != {generation}:
                    answers.extend(await ask_both(service, server))
    assert len(years) == BUILDS
    assert len({name for name, _, _ in answers}) > 1
    for name, verdict, text in answers:
        if name != first:
            assert (verdict, years[name] in text) == (Verdict.ANSWERED, True), (name, text)
        else:
            assert "fog bell" not in text
    assert verify(home / ".footnote/index") == []


async def ask_both(service: Service, server: subprocess.Popen[str]) -> list[tuple[str, str, str]]:
    """Ask both servers; return the generation, the verdict and the first quote of each."""
    answer = await service.ask(WHO)
    other = (await asyncio.to_thread(said, server, "\n")).split("|")
    return [(answer.generation, answer.verdict, answer.quotes[0].text), (other[0], other[1], other[2])]


def test_build_beside_another_names_the_holder_and_the_lock_of_a_killed_one_is_free(
    home: Path, footnote: Footnote
) -> None:
    (home / "articles/news.txt").write_text("News\n\nThe tide mill was sold.\n", encoding="utf-8")
    serves = read_pointer(home / ".footnote/index").generation
    with process(HOLDER, home) as holder:
        assert said(holder) == "begun"
        refused = footnote("index", "build")
        assert refused.status == 75
        assert f"process {holder.pid}, since 2" in refused.err
        assert "Try again when it is done" in refused.err
        assert read_pointer(home / ".footnote/index").generation == serves
    assert footnote("index", "build").status == 0
    assert read_pointer(home / ".footnote/index").generation > serves
