"""A ledger is read by itself, in Python and on the command line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.__main__ import main
from skbadge.labeling import LabelingSession, read_labels, read_progress

TEXTS = ["=cmd|' /C calc'!A0", 'a "quote", and\na line', "ŝ"]


@pytest.fixture
def store(tmp_path):
    """The file of a session that is over."""
    path = tmp_path / "labels.sqlite"
    X = np.random.default_rng(0).normal(size=(20, 2))
    ids = [*TEXTS, *map(str, range(17))]
    querier = BadgeQuerier(LogisticRegression(), strategy="margin", random_state=0)
    classes = ["cat", "=dog"]
    with LabelingSession(querier, X, store=path, ids=ids, classes=classes) as session:
        session.label_many(TEXTS, ["cat", "=dog", "cat"], annotator="ann")
        session.label("3", "cat", annotator="ann")
        session.label("3", "=dog", annotator="bob")
        session.skip("5")
    return path


def test_labels_are_read_without_pool_and_model(store):
    labels = read_labels(store)
    assert labels["label"].to_dict() == dict(
        zip([*TEXTS, "3"], ["cat", "=dog", "cat", "=dog"], strict=True)
    )
    assert read_labels(store, resolution="refuse")["label"].isna().tolist() == [
        *[False] * 3,
        True,
    ]
    progress = read_progress(store)
    assert (progress.n_pool, progress.n_labeled, progress.n_skipped) == (20, 4, 1)


def test_the_command_writes_one_line_a_row_and_its_own_file_again(
    store, tmp_path, capsys
):
    out = tmp_path / "out.csv"
    for _ in range(2):
        assert main(["labels", str(store), "--csv", str(out)]) == 0
        assert capsys.readouterr().out == f"4 labelled rows: {out}\n"
    cells = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(cells["id"]) == [f"'{TEXTS[0]}", *TEXTS[1:], "3"]
    assert list(cells["label"]) == ["cat", "'=dog", "cat", "'=dog"]
    assert list(cells["annotator"]) == ["ann", "ann", "ann", "bob"]
    assert {"time", "round"} <= set(cells.columns)


def test_the_command_sums_up(store, capsys):
    assert main(["labels", str(store)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "labelled: 4 of 20 rows"
    assert "skipped: 1" in lines


def test_nothing_of_others_is_replaced(store, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text("mine\n")
    for out in (other, store, tmp_path / "labels.sqlite-wal"):
        before = out.read_bytes() if out.exists() else None
        assert main(["labels", str(store), "--csv", str(out)]) == 2
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == 1
        assert "is there already and is no earlier export" in errors[0]
        assert (out.read_bytes() if out.exists() else None) == before


@pytest.mark.parametrize("content", [None, b"", b"text", b"SQLite format 3\x00" * 9])
def test_what_is_no_ledger_is_one_line(tmp_path, capsys, content):
    path = tmp_path / "labels.sqlite"
    if content is not None:
        path.write_bytes(content)
    assert main(["labels", str(path), "--csv", str(tmp_path / "out.csv")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert (path.read_bytes() if path.exists() else None) == content
    assert not (tmp_path / "out.csv").exists()


def test_a_resolution_that_is_none_is_refused(store, capsys):
    assert main(["labels", str(store), "--resolution", "best"]) == 2
    assert "`resolution` must be one of" in capsys.readouterr().err


def test_the_module_runs(store):
    command = [sys.executable, "-m", "skbadge", "labels", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("labelled: 4 of 20 rows\n")
