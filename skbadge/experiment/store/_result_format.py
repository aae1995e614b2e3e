"""The tables of a result store."""

from skbadge.utils._file_format import FileFormat

_SCHEMA = """
CREATE TABLE runs (
    hash TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    dataset TEXT NOT NULL,
    model TEXT NOT NULL,
    strategy TEXT NOT NULL,
    n_query INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    data TEXT,
    status TEXT NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'done', 'failed')),
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    error_type TEXT,
    error_message TEXT,
    traceback TEXT,
    versions TEXT,
    host TEXT,
    started TEXT,
    finished TEXT
);
CREATE INDEX runs_by_status ON runs (status);
CREATE TABLE evaluations (
    run TEXT NOT NULL REFERENCES runs (hash) ON DELETE CASCADE,
    n_labeled INTEGER NOT NULL,
    metric TEXT NOT NULL,
    round INTEGER NOT NULL,
    score REAL,
    fit_time REAL NOT NULL,
    query_time REAL NOT NULL,
    score_time REAL NOT NULL,
    PRIMARY KEY (run, n_labeled, metric)
);
CREATE TABLE checkpoints (
    run TEXT PRIMARY KEY REFERENCES runs (hash) ON DELETE CASCADE,
    versions TEXT NOT NULL,
    state BLOB NOT NULL
);
"""

RESULT_STORE = FileFormat("result store", "path", 2, _SCHEMA)
