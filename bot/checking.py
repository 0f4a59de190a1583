"""A stand-in until the owner of this file writes it; overwrite it."""
from __future__ import annotations
from dataclasses import dataclass
from enum import StrEnum
from index import Article
class CheckVerdict(StrEnum):
    EXACT="exact"; CHANGED="changed"; ABSENT="absent"
@dataclass(frozen=True)
class Change:
    kind: str
    text: str
@dataclass(frozen=True)
class Checked:
    quoted: str
    verdict: CheckVerdict
    article: Article|None=None
    paragraph:int=0
    start:int=0
    end:int=0
    original:str=""
    changes: tuple[Change,...]=()
    times:int=1
def check(*a): return ()
