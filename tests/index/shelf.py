"""Two shelves of small articles for the tests of the index, and helpers that write and build them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from index.storage.manifest import read_pointer

__all__ = ["HANDBOOK", "HARBOUR", "SHELF", "contents", "put", "serving_home"]

LIGHTHOUSE = """The lamp on Garrow Point
Author: Ines Falk

The lighthouse on Garrow Point was lit for the first time in 1874. It stands 31 metres above the rocks.

Its keeper, Tobias Renn, wound the clockwork by hand every four hours. He kept bees behind the oil store.
"""
BAKERY = """# The night bakery

The bakery in Mill Lane opens at two in the morning. Rye bread is its best seller, at £4.20 a loaf.

Dr. Okoye, who owns it, bought the oven in Lyon. She trained as a chemist before she baked.
"""
TRAM = """---
title: Line nine goes north
author: [Petra Holm, Samir Aziz]
publisher: The Evening Rail
published: 2021-03-09
url: https://trams.example/nine
---
Tram line nine was extended to the university hospital. The new stretch has seven stops.

The extension cost 48 million crowns, which the region and the city shared equally.
"""
CANAL = (
    '{"id": "canal", "title": "Ice on the canal", "author": "Wen Dao", "publisher": "Lock and Quay",'
    ' "published": "2019", "url": null,'
    ' "text": "Skaters used the canal for eleven days in February.\\n\\nThe ice was twelve centimetres thick'
    ' near the old brewery."}\n'
    '{"id": "orchard", "title": "The pear orchard", "text": "Grafted pear trees bear fruit in their fifth'
    ' year. Frost in May took half of the harvest."}\n'
)
SHELF: dict[str, str] = {
    "lighthouse.txt": LIGHTHOUSE,
    "bakery.md": BAKERY,
    "tram.md": TRAM,
    "more/canal.jsonl": CANAL,
}
HARBOUR: dict[str, str] = {
    "guild.txt": (
        "How the guild began\n\nThe Harbour Pilots Guild (HPG) was founded in 1874. It has its own rules.\n"
    ),
    "tug.txt": "A new tug\n\nThe Harbour Pilots Guild bought a steam tug from Bergen. The tug burns coal.\n",
    "caps.txt": "Grey caps\n\nHPG members wear a grey cap at sea. The cap is made of felt.\n",
    "academy.txt": (
        "A school for buyers\n\nThe commissioning academy trains council staff in Leeds. "
        "Its courses last nine weeks.\n\nA white paper on outsourcing proposed it first.\n"
    ),
    "pier.txt": (
        "The pier in figures\n\nThe pier has thirty-one lamps. Its tower has 112 steps.\n\n"
        "It was opened on 12 May 2010. A ticket to the tower costs £4.20.\n\n"
        "Two thirds of the visitors come by ferry. Repairs took 48 million pounds.\n"
    ),
    "cafe.txt": "Cakes on the quay\n\nZoë Ünal’s café sells éclairs. Her brother Oluf Thorsen bakes them.\n",
}
"""Articles that people ask about in other words: short forms, accents, words run together."""
HANDBOOK: dict[str, str] = {
    "sign-in.md": (
        "# Two-factor sign-in\n\n## E1042\n\nYour clock is more than a minute wrong.\n\n"
        "## E1043\n\nThe code was used before.\n\n"
        "## Recovery codes\n\nThey are shown once. Print them:\n\n```\nlarkspur codes --print\n```\n"
    ),
    "camp.md": (
        "# Summer camp\n\nYou may not bring:\n\n- knives\n- fireworks\n\nWhat does a week cost?\n\n"
        "It is 90 euros with meals.\n\n> It was the best week of my life.\n"
    ),
    "plans.md": (
        "# Plans\n\n| Plan | Price | Seats |\n|---|---|---|\n| Sapling | 4 euros | 3 |\n"
        "| Oak | 19 euros | 40 |\n"
    ),
    "rules.txt": "House rules\n\n1. No smoking.\n2. Guests leave by ten.\n3. Bikes stay in the yard.\n",
    "scan.txt": "A \ufb01re\n\nThe of\u00adfi\u00adce \ufb02oor burned. The \uff26erry sank.\n",
    "zero.txt": "Boats\n\nThe ketch\u200b Al\u200bba\u2060tross sank in May.\n",
}
"""What communities write: sections, questions, lists, tables; and text as scanners and editors leave it."""


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder, byte for byte; return the folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def serving_home(index: Path) -> Path:
    """Return the folder of the generation that serves."""
    return index / read_pointer(index)


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below an index folder by its path, without the lock and the encoder."""
    files = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    kept = {name: path for name, path in files.items() if name != "lock" and not name.startswith("encoders/")}
    return {name: path.read_bytes() for name, path in kept.items()}
