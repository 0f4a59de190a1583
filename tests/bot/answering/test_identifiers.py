"""Codes, versions, options and numbers in questions: answered by what has them, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answering.answer import Verdict
from bot.service.answerer import Answerer
from index.build import build_index
from index.encoding.encoder import Encoder
from index.search.identifiers import find_identifiers
from tests.bot.conftest import settings_for
from tests.graphs import lend_graph
from tests.index.shelf import put

ARTICLES = {
    "heron.md": (
        "# Release notes of Heron\n\n## v3.1.0 (July 2026)\n\n- New: spell checker for Danish\n"
        "- New: notes can be pinned\n\n## [3.0.2] - 2026-05-04\n\n### Added\n\n- Sharing by link\n\n"
        "### Fixed\n\n- The clock was an hour off\n\n## Version 3.0 — January 2026\n\n"
        "Python 3.8 is no longer supported.\n"
    ),
    "puffin.txt": "Puffin changes\n\n1.9.1 (2026-03-11)\n\nFixes a crash on start.\n\n1.9.0\n\nAdds tags.\n",
    "house.md": (
        "# House rules\n\n1. Take your shoes off.\n2. No music after ten.\n3. Guests sign the book.\n\n"
        "## Roles\n\n1. Visitor\n2. Member\n3. Moderator\n4. Owner\n"
    ),
    "lease.txt": (
        "Lease of a berth\n\n4.1 The tenant pays on the first of the month.\n\n4.2 The deposit is two months'"
        " rent.\n\n§ 5 Either side may end the lease.\n\n§ 6 Disputes go to the court in Oslo.\n"
    ),
    "bread.md": "# Bread\n\n## Step 1: Mix\n\nMix flour and water.\n\n## Step 2: Bake\n\nBake for an hour.\n",
    "washer.md": (
        "# Alarms of the washer\n\n| Alarm | Cause | Remedy |\n|---|---|---|\n"
        + "".join(f"| E10{n} | valve {n} stuck | tap the valve |\n" for n in range(20, 60))
        + "\nF4: The door is open.\n\nF5: The pump is blocked.\n"
    ),
    "cli.md": (
        "# Command line\n\n| Option | What it does |\n|---|---|\n| `--deep` | looks into archives |\n"
        "| `-v` | prints more |\n| `-V` | prints its version |\n\nSet `HERON_TOKEN` first. The log is"
        " `/var/log/heron.log`. Mail follows RFC 5322.\n"
    ),
    "boats.txt": "Mooring\n\nBoats under 12 metres moor free. Larger boats pay 300 crowns a night.\n",
}


@pytest.fixture(scope="module")
def answerer(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, graph_folder: Path
) -> Iterator[Answerer]:
    """Answer from what communities write of versions, rules, codes and options."""
    home = tmp_path_factory.mktemp("identifiers")
    put(home / "articles", ARTICLES)
    settings = settings_for(home)
    lend_graph(graph_folder, settings.index)
    build_index(settings, encoder=encoder)
    opened = Answerer.open(settings)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        # A version's heading begins the quote.
        ("Which version got the spell checker?", "v3.1.0 (July 2026)\n\n- New: spell checker for Danish"),
        ("what's new in 3.1.0", "v3.1.0 (July 2026)\n\n- New: spell checker for Danish\n- New: notes"),
        ("What was fixed in v3.0.2?", "[3.0.2] - 2026-05-04\n\nAdded\n\n- Sharing by link\n\nFixed\n\n- The"),
        ("When did version 3.0 come out?", "Version 3.0 — January 2026\n\nPython 3.8 is"),
        ("latest release of Heron", "v3.1.0 (July 2026)\n\n- New: spell"),
        ("what does puffin 1.9.1 fix?", "1.9.1 (2026-03-11)\n\nFixes a crash"),
        # The item of a number, whatever it is called; the noun tells lists apart.
        ("what is rule 3?", "3. Guests sign the book."),
        ("house rules, point 2", "2. No music"),
        ("role 3", "3. Moderator"),
        ("What does clause 4.2 say?", "4.2 The deposit"),
        ("section 6 of the lease", "§ 6 Disputes"),
        ("what is step 2", "Step 2: Bake\n\nBake for an hour."),
        # Codes, options, names; a number may be the digits of a code.
        ("What should I do at E1041?", "E1041 | valve 41"),
        ("alarm 1038", "E1038 | valve 38"),
        ("what does F5 mean", "F5: The pump is blocked."),
        ("what does --deep do?", "--deep | looks into"),
        ("what does -V do", "-V | prints its version"),
        ("heron_token", "Set HERON_TOKEN first."),
        ("Hi, I get this:\n2026-03-01 device: E1033\nFile x.py, line 3\nwhat is it?", "E1033 | valve 33"),
        # A quantity is none.
        ("My uncle has an 11 metre boat, does he have to pay?", "Boats under 12 metres moor free."),
    ],
)  # fmt: skip
def test_what_has_the_identifier_is_quoted(answerer: Answerer, question: str, quote: str) -> None:
    assert answerer.answer(question).quotes[0].text.startswith(quote)


@pytest.mark.parametrize(
    "question",
    """E1061|What does E1019 mean?|what does F6 mean|alarm 1019|what does --deeper do?|-x|what is HERON_TOKENS
    |What was fixed in 3.0.3?|v3.2.0|puffin 1.9.2|what is rule 4?|rule 9|clause 4.3|§ 7|step 3 of the bread
    |where is /var/log/puffin.log?|what does RFC 822 say about mail?|what happened on 2026-05-05?""".split(
        "|"
    ),
)
def test_nothing_answers_for_an_identifier_that_is_nowhere(answerer: Answerer, question: str) -> None:
    answer = answerer.answer(question.strip())
    assert answer.verdict is not Verdict.ANSWERED
    assert answer.reasons is not None
    assert answer.reasons.found.question.notes == (), "an identifier is not corrected"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("is CVE-2024-1 in v2.4 or 2.3.1-rc1?", ["CVE-2024-1", "v2.4", "2.3.1-rc1"]),
        ("RFC 822, rule no. 3 and § 5", ["822", "no. 3", "§ 5"]),
        ("set log_level in ~/x/heron.yml with --dry-run", ["log_level", "~/x/heron.yml", "--dry-run"]),
        ("what was it on 3/3/2026 or 2026-08-11", ["3/3/2026", "2026-08-11"]),
        ("does error E1042 mean that Apollo 11 failed", ["error E1042", "11"]),
        ("an 11 metre boat in 2019, 60% of 1,912, £4.20 or 3.5 million", []),
        ("and/or 24/7 at 10:30 in the 1990s, the 5th, </b>, https://a.b/c, e.g. 10km", []),
        ("do I pay 300 crowns for 2 cats", []),
    ],
)
def test_form_tells_identifiers_from_quantities(question: str, found: list[str]) -> None:
    assert [question[one.start : one.end] for one in find_identifiers(question, "en")] == found
