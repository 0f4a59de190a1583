-- A records file of schema version 1, as users have it on disk. Never change it: it is not made from the
-- code's own schema, so it shows when a migration no longer fits. Users 7 and 8, hashed under the key below.
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
INSERT INTO keys VALUES ('people', X'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
INSERT INTO settings VALUES (100, 0, 'never', NULL, 'de', 31, NULL, 1);
INSERT INTO settings VALUES (100, 5, 'questions', 1, NULL, NULL, 32, NULL);
INSERT INTO gaps VALUES (3, 100, NULL), (4, NULL, '0007-abcdef');
INSERT INTO askings VALUES (1, 3, X'43c875c1027e0bb60b3c5e055d7245befa0322f45d7a0f86cfb578e79a5ce269', 5, 'Who mends the lamp?', 'who mends the lamp',
    'related', 0.5, X'003c000000000000', 1700000000.25);
INSERT INTO askings VALUES (2, 3, X'11632d1a564489246cbcc39dbb0895393ed46f7b6e843802edda7408f94a6437', 6, 'who mends the lamp', 'who mends the lamp',
    'not_found', 0.125, X'003c000000000000', 1700000100.0);
INSERT INTO askings VALUES (3, 4, X'43c875c1027e0bb60b3c5e055d7245befa0322f45d7a0f86cfb578e79a5ce269', 9, 'Is there tea?', 'is there tea',
    'not_found', 0.0625, X'0000003c00000000', 1700000050.0);
INSERT INTO feedback VALUES (1, 100, 5, 77, X'11632d1a564489246cbcc39dbb0895393ed46f7b6e843802edda7408f94a6437', 'When was it lit?', 0, 1700000200.5);
