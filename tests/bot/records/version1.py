"""A file of the first version, as SQL: what people have on disk, to be read by every later version.

Never change it: it is not made from the code's own schema, so that it tells when that changes what was.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["GAP", "KEY", "write_version_1"]

KEY = bytes(range(32))
GAP = 4
"""The number of the gap that has an answer."""

_ANN = "43c875c1027e0bb60b3c5e055d7245befa0322f45d7a0f86cfb578e79a5ce269"  # user 7 under KEY
_BEN = "11632d1a564489246cbcc39dbb0895393ed46f7b6e843802edda7408f94a6437"  # user 8
_EAST, _NORTH = "003c000000000000", "0000003c00000000"

_TABLES = """
PRAGMA application_id = 1181708148;
PRAGMA user_version = 1;
CREATE TABLE keys (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE settings (
    server INTEGER NOT NULL, channel INTEGER NOT NULL,
    answers TEXT CHECK (answers IN ('mentions', 'questions', 'never')),
    private INTEGER CHECK (private IN (0, 1)), language TEXT,
    helper_role INTEGER, helper_channel INTEGER, tell_gaps INTEGER CHECK (tell_gaps IN (0, 1)),
    PRIMARY KEY (server, channel)) WITHOUT ROWID;
CREATE TABLE gaps (id INTEGER PRIMARY KEY AUTOINCREMENT, server INTEGER, answered_by TEXT);
CREATE TABLE askings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, gap INTEGER NOT NULL REFERENCES gaps ON DELETE CASCADE,
    person BLOB NOT NULL, channel INTEGER NOT NULL, question TEXT NOT NULL, folded TEXT NOT NULL,
    verdict TEXT NOT NULL, confidence REAL NOT NULL, vector BLOB NOT NULL, at REAL NOT NULL);
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT, server INTEGER, channel INTEGER NOT NULL,
    message INTEGER NOT NULL, person BLOB NOT NULL, question TEXT NOT NULL,
    helpful INTEGER NOT NULL CHECK (helpful IN (0, 1)), at REAL NOT NULL, UNIQUE (message, person));
CREATE INDEX gaps_by_server ON gaps (server);
CREATE INDEX askings_by_gap ON askings (gap);
CREATE INDEX askings_by_person ON askings (person);
CREATE INDEX feedback_by_server ON feedback (server);
CREATE INDEX feedback_by_person ON feedback (person);
"""
_ROWS = f"""
INSERT INTO keys VALUES ('people', X'{KEY.hex()}');
INSERT INTO settings VALUES (100, 0, 'never', NULL, 'de', 31, NULL, 1);
INSERT INTO settings VALUES (100, 5, 'questions', 1, NULL, NULL, 32, NULL);
INSERT INTO gaps VALUES (3, 100, NULL), ({GAP}, NULL, '0007-abcdef');
INSERT INTO askings VALUES (1, 3, X'{_ANN}', 5, 'Who mends the lamp?', 'who mends the lamp',
    'related', 0.5, X'{_EAST}', 1700000000.25);
INSERT INTO askings VALUES (2, 3, X'{_BEN}', 6, 'who mends the lamp', 'who mends the lamp',
    'not_found', 0.125, X'{_EAST}', 1700000100.0);
INSERT INTO askings VALUES (3, {GAP}, X'{_ANN}', 9, 'Is there tea?', 'is there tea',
    'not_found', 0.0625, X'{_NORTH}', 1700000050.0);
INSERT INTO feedback VALUES (1, 100, 5, 77, X'{_BEN}', 'When was it lit?', 0, 1700000200.5);
"""  # noqa: S608 - numbers of its own


def write_version_1(file: Path) -> None:
    """Write the file, in a folder that is made where missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(_TABLES + _ROWS)
