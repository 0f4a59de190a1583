"""What Footnote promises of what may befall it: each a row of docs/reliability.md, with what proves it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PARTS", "PROMISES", "Promise"]

PARTS = ("Durability", "Hostile input", "Load and long runs")


@dataclass(frozen=True, slots=True)
class Promise:
    """A fault, what is promised of it, and what is run to prove that.

    `tests` are the arguments of one pytest run: files, or tests of a file. `program` is a module of
    `benchmarks` with its arguments, which fails where the promise is broken. It prints JSON with its `trials`;
    another's are counted by a pattern, whose first group is their number.
    """

    name: str
    part: str
    fault: str
    promise: str
    tests: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    counted: str = ""


_LAST = "the generation of before goes on serving"

PROMISES = (
    Promise(
        "killed-build",
        PARTS[0],
        "A build is killed with SIGKILL at any step",
        f"{_LAST}; the next build goes on where it was, cleans up, and needs no help",
        tests=(
            "tests/index/test_processes.py",
            "tests/index/test_resuming.py",
            "tests/index/test_kept.py",
        ),
    ),
    Promise(
        "killed-rebuild",
        PARTS[0],
        "The rebuild of a running bot is killed, told to end, or says nothing sensible",
        f"{_LAST}, and whoever asked for the rebuild is told what happened and what to do",
        tests=("tests/bot/test_rebuilding.py", "tests/bot/test_rebuild.py"),
    ),
    Promise(
        "flipped-bit",
        PARTS[0],
        "Any bit of a generation is flipped, any file cut, swapped or gone",
        "Opening, `status` and `verify` name the file; a build makes it anew",
        tests=("tests/index/test_generation.py",),
    ),
    Promise(
        "readers",
        PARTS[0],
        "A generation is deleted, or another published, while it is read",
        "Readers hold what they opened; nothing that is asked or looked up is lost by a swap",
        tests=("tests/index/test_build.py", "tests/bot/test_swapping.py", "tests/index/test_rowfile.py"),
    ),
    Promise(
        "bad-articles",
        PARTS[1],
        "Articles of any bytes under any name; pipes, links, loops",
        "Refused with file, line and reason, or indexed to the letter",
        tests=("tests/index/test_articles.py", "tests/index/test_refusals.py"),
    ),
    Promise(
        "any-question",
        PARTS[1],
        "Questions of any characters at all",
        "An answer or an honest refusal; every quote stands in its article",
        tests=("tests/bot/test_service.py", "tests/bot/test_batch.py", "tests/index/test_question.py"),
    ),
    Promise(
        "shown-harmlessly",
        PARTS[1],
        "Article text with Markdown, mentions, links, terminal escapes",
        "Shown as letters: nothing formats, pings, links or steers a terminal",
        tests=("tests/bot/discordapp/test_escape.py", "tests/bot/discordapp/test_links.py"),
    ),
    Promise(
        "secrets",
        PARTS[1],
        "Failures of every kind, logged at every level",
        "The token is in none of it",
        tests=("tests/bot/discordapp/test_logs.py", "tests/bot/discordapp/test_stopping.py"),
    ),
    Promise(
        "burst",
        PARTS[2],
        "1,000 questions at once on Discord beside a rebuild",
        "Each gets one outcome: its answer, or to be told that too many wait; the queue keeps its bound",
        tests=("tests/bot/test_queueing.py", "tests/bot/discordapp/test_waiting.py"),
        program=("load", "--only", "discord"),
    ),
    Promise(
        "load",
        PARTS[2],
        "10,000 questions while articles change and rebuilds go on",
        "Every answer is right for the generation that it names; memory is back to where it was",
        program=("load", "--only", "service"),
    ),
    Promise(
        "growth",
        PARTS[2],
        "100 rebuilds in a row under a running service",
        "Memory, descriptors, maps, threads and disk stay within their bounds",
        program=("load", "--only", "rebuilds"),
    ),
    Promise(
        "soak",
        PARTS[2],
        "20 minutes of random trouble: builds killed, stopped, starved, with a wrong clock; files and "
        "CURRENT damaged or gone; articles that are none; crowds; hostile questions",
        "Every answer is right or an error for people; after each, the next build works without help",
        program=("soak", "--minutes", "20", "--seed", "1"),
    ),
    Promise(
        "stopping",
        PARTS[2],
        "SIGTERM under load",
        "What is under way is answered, the rest is told why not, and the rebuild is given up",
        tests=("tests/bot/discordapp/test_stopping.py", "tests/bot/discordapp/test_leaving.py"),
    ),
)
