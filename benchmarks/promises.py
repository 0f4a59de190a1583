"""What Footnote promises of what may befall it: each a row of docs/reliability.md, with what proves it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PARTS", "PROMISES", "Promise"]

PARTS = ("Durability", "Hostile input", "Load and long runs")


@dataclass(frozen=True, slots=True)
class Promise:
    """A fault, what is promised of it, and what is run to prove that.

    `tests` are the arguments of one pytest run: files, or tests of a file. `program` is a module of
    `benchmarks` with its arguments that fails where the promise is broken. It prints JSON with its `trials`;
    another's are counted by a pattern, whose first group is their number.
    """

    name: str
    part: str
    fault: str
    promise: str
    tests: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    counted: str = ""


_CRASHES = r"^\| all \|[ |]*(\d+)"
_DURABLE, _HOSTILE, _LOAD = PARTS

PROMISES = (
    Promise(
        "killed-build",
        _DURABLE,
        "A build is killed with SIGKILL, at any file operation or time",
        "What served goes on serving; the next build goes on where it was, cleans up, and needs no help",
        tests=(
            "tests/index/test_crashes.py::test_build_killed_anywhere_loses_nothing_and_the_next_one_cleans_up",
            "tests/index/test_processes.py",
            "tests/index/test_resuming.py",
            "tests/index/test_kept.py",
        ),
        program=("crashes", "--kinds", "kill", "--every", "3"),
        counted=_CRASHES,
    ),
    Promise(
        "power-cut",
        _DURABLE,
        "The power goes at any file operation",
        "The old index or the new one is found, whole: all is on the disk before CURRENT moves",
        tests=(
            "tests/index/test_crashes.py::test_power_cut_finds_the_old_index_or_the_new_one",
            "tests/index/test_crashes.py::test_all_is_on_the_disk_before_the_pointer_moves",
        ),
        program=("crashes", "--kinds", "cut", "--every", "6"),
        counted=_CRASHES,
    ),
    Promise(
        "failing-disk",
        _DURABLE,
        "The disk is full, fails, or cannot be written; the clock is set back",
        "An error that says what to do; what served goes on serving; room is all that the next build needs",
        tests=(
            "tests/index/test_crashes.py::test_disk_that_fails_is_an_error_with_advice_and_the_old_index_serves",
            "tests/index/test_disks.py",
            "tests/index/test_durable.py",
        ),
        program=("crashes", "--kinds", "eio,enospc,full", "--every", "24"),
        counted=_CRASHES,
    ),
    Promise(
        "killed-rebuild",
        _DURABLE,
        "The rebuild of a running bot is killed, told to end, or says nothing sensible",
        "Answers go on; whoever asked for the rebuild is told what happened and what to do",
        tests=("tests/bot/test_rebuilding.py", "tests/bot/test_rebuild.py"),
    ),
    Promise(
        "damaged-file",
        _DURABLE,
        "Any bit of a generation is flipped, any file cut, swapped or gone",
        "Opening, `status` and `verify` name the file; nothing is answered from it; a build makes it anew",
        tests=("tests/index/test_generation.py", "tests/index/test_damage.py", "tests/index/test_rowfile.py"),
    ),
    Promise(
        "damaged-service",
        _DURABLE,
        "The generation that a running bot answers from is damaged under it",
        "It goes back to the last good one, answers the question from that, and tells its admins",
        tests=("tests/bot/test_current.py", "tests/bot/discordapp/test_damage.py"),
    ),
    Promise(
        "unproven-quote",
        _DURABLE,
        "The text, its hash and the passages of an article are out of step",
        "No quote leaves that is not the article's text to the letter; what cannot be proven is withheld",
        tests=("tests/bot/test_proving.py",),
    ),
    Promise(
        "going-back",
        _DURABLE,
        "A build turns out bad, CURRENT is damaged, generations are pruned",
        "Any kept generation that is whole can serve again; none goes that serves",
        tests=("tests/index/test_generations.py", "tests/bot/discordapp/test_history.py"),
    ),
    Promise(
        "readers",
        _DURABLE,
        "A generation is deleted, or another published, while it is read",
        "Readers hold what they opened; nothing that is asked or looked up is lost by a swap",
        tests=(
            "tests/index/test_build.py::test_reader_keeps_answering_when_its_generation_is_gone",
            "tests/bot/test_swapping.py",
        ),
    ),
    Promise(
        "two-processes",
        _DURABLE,
        "Two processes build, one builds and one serves, two serve; who held the lock was killed",
        "One builds at a time and the others are told who; all serve what was published last",
        tests=(
            "tests/bot/test_two_processes.py",
            "tests/index/test_locking.py",
            "tests/index/test_processes.py",
        ),
    ),
    Promise(
        "gate",
        _DURABLE,
        "A rebuild would lose gold questions, or most articles",
        "It is not published: kept aside with what was lost, or refused without `--force`",
        tests=("tests/bot/test_gate.py", "tests/index/test_build.py"),
    ),
    Promise(
        "any-question",
        _HOSTILE,
        "Questions of any characters and any length",
        "An answer or an honest refusal, in a bounded time; every quote stands in its article",
        tests=("tests/bot/test_hostile_questions.py", "tests/bot/test_batch.py"),
    ),
    Promise(
        "any-article",
        _HOSTILE,
        "Articles of any bytes under any name, of any size and depth; pipes, devices, links, loops",
        "Refused with file, line and reason, or indexed to the letter",
        tests=(
            "tests/index/test_articles.py",
            "tests/index/test_refusals.py",
            "tests/index/test_hostile_articles.py",
        ),
    ),
    Promise(
        "shown-harmlessly",
        _HOSTILE,
        "Article text with Markdown, mentions, links, terminal escapes",
        "Shown as letters: nothing formats, pings, links or steers a terminal",
        tests=(
            "tests/bot/discordapp/test_hostile_articles.py",
            "tests/bot/discordapp/test_escape.py",
            "tests/bot/discordapp/test_links.py",
            "tests/bot/discordapp/test_logs.py",
        ),
    ),
    Promise(
        "hostile-index",
        _HOSTILE,
        "An index whose database or names were made to harm",
        "Its files are data: no function of a schema is run, no path leaves the folder, nothing is a pickle",
        tests=("tests/index/test_sqlite.py", "tests/index/test_generation.py", "tests/index/test_damage.py"),
    ),
    Promise(
        "hostile-model",
        _HOSTILE,
        "A model's folder with code, pickles, links, or another content than its pin",
        "Refused by file and reason; no code of it is run",
        tests=("tests/index/test_modelfolder.py",),
    ),
    Promise(
        "secrets",
        _HOSTILE,
        "Failures of every kind, logged at every level",
        "The token is in none of it",
        tests=(
            "tests/bot/discordapp/test_secrets.py",
            "tests/bot/discordapp/test_logs.py",
            "tests/bot/test_tokenfile.py",
        ),
    ),
    Promise(
        "burst",
        _LOAD,
        "1,000 questions at once on Discord beside a rebuild",
        "Each gets one outcome: its answer, or to be told that too many wait; the queue keeps its bound",
        tests=("tests/bot/test_queueing.py", "tests/bot/discordapp/test_waiting.py"),
        program=("load", "--only", "discord"),
    ),
    Promise(
        "load",
        _LOAD,
        "10,000 questions while articles change and rebuilds go on",
        "Every answer is right for the generation that it names; memory is back to where it was",
        program=("load", "--only", "service"),
    ),
    Promise(
        "growth",
        _LOAD,
        "100 rebuilds in a row under a running service",
        "Memory, descriptors, maps, threads and disk stay within their bounds",
        program=("load", "--only", "rebuilds"),
    ),
    Promise(
        "soak",
        _LOAD,
        "20 minutes of random trouble: builds killed, stopped, starved, with a wrong clock; files and "
        "CURRENT damaged or gone; articles that are none; crowds; hostile questions",
        "Every answer is right or an error for people; after each, the next build works without help",
        program=("soak", "--minutes", "20", "--seed", "1"),
    ),
    Promise(
        "stopping",
        _LOAD,
        "SIGTERM under load",
        "What is under way is answered, the rest is told why not, and the rebuild is given up",
        tests=("tests/bot/discordapp/test_stopping.py",),
    ),
)
