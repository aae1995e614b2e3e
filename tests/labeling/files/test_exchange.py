"""Rows of a session go out as files and frames, and answers come back."""

import csv
import json
from time import process_time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession
from skbadge.labeling.ledger._ledger import Page
from tests.labeling.files._exports import annotation, choice, flat, task

CLASSES = ["cat", "dog"]
HOSTILE = [
    'a "quote", and a comma',
    "<script>alert('x')</script>",
    "two\nlines\r\nand one",
    "a\rreturn",
    "a;b\tc",
    "ŝ 🐍",
    "=cmd|' /C calc'!A0",
    "'=already",
    "@SUM(1)",
    "-1+1",
    "\ttab",
]


def frame_of(n=30, ids=None, **columns):
    rng = np.random.default_rng(0)
    ids = [f"row-{i}" for i in range(n)] if ids is None else ids
    data = {"x": rng.normal(size=len(ids)), "y": rng.normal(size=len(ids))}
    return pd.DataFrame(data | columns, index=ids)


def querier():
    return BadgeQuerier(LogisticRegression(), strategy="margin", random_state=0)


@pytest.fixture
def opened(tmp_path):
    """Open sessions on one store, and close them at the end."""
    sessions = []

    def opened(X=None, classes=CLASSES, estimator=None, store="a.sqlite", **parameters):
        X = frame_of() if X is None else X
        sessions.append(
            LabelingSession(
                estimator or querier(),
                X,
                store=tmp_path / store,
                classes=classes,
                **parameters,
            )
        )
        return sessions[-1]

    yield opened
    for session in sessions:
        session.close()


@pytest.fixture
def ls(tmp_path):
    """Write an export of Label Studio, and return its path."""

    def ls(*items):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(items))
        return path

    return ls


def given(session):
    return session.labels()["label"].to_dict()


def reasons(problems):
    return [(each.id, each.label, each.known, each.reason) for each in problems]


# Label Studio, out


def test_tasks_go_out_in_order_and_stay_open_until_they_come_back(opened, tmp_path):
    session = opened()
    path = tmp_path / "tasks.json"
    tasks = session.export_label_studio(path, 5)
    data = [item["data"] for item in json.loads(path.read_text())]
    assert [each["skbadge_id"] for each in data] == [task.id for task in tasks]
    assert data[0]["x"] == session._pool.X.loc[tasks[0].id, "x"]
    # Nobody else is asked of them, in another process neither.
    others = opened().next(20)
    assert not {task.id for task in tasks} & {task.id for task in others}
    # Who asks again gets the same, whatever has become of the file.
    again = session.export_label_studio(tmp_path / "again.json", 5)
    assert [task.id for task in again] == [task.id for task in tasks]


def test_a_file_of_others_is_never_replaced(opened, tmp_path):
    session = opened()
    path = tmp_path / "tasks.json"
    session.export_label_studio(path, 2)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"is there already.*overwrite=True"):
        session.export_label_studio(path, 3)
    assert path.read_bytes() == before
    session.export_label_studio(path, 3, overwrite=True)
    assert len(json.loads(path.read_text())) == 3
    path.write_text(json.dumps([task(1, "row-1", annotation(11, choice("cat")))]))
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="no earlier export"):
        session.export_label_studio(path, 3, overwrite=True)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileExistsError, match="no earlier export"):
        session.export_label_studio(tmp_path / "folder", 3, overwrite=True)
    assert path.read_bytes() == before
    names = {each.name for each in tmp_path.iterdir() if "sqlite" not in each.name}
    assert names == {"tasks.json", "folder"}


def test_hostile_texts_go_out_as_they_are(opened, tmp_path):
    texts = frame_of(ids=range(len(HOSTILE)), text=HOSTILE)
    session = opened(texts, ids=None, estimator=querier_of_numbers())
    path = tmp_path / "tasks.json"
    session.export_label_studio(path, len(HOSTILE))
    data = [item["data"] for item in json.loads(path.read_text(encoding="utf-8"))]
    assert {each["skbadge_id"]: each["text"] for each in data} == dict(
        enumerate(HOSTILE)
    )


def querier_of_numbers():
    """For frames with a column of text, which the model leaves out."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    numbers = make_column_transformer(("passthrough", ["x", "y"]))
    model = make_pipeline(numbers, LogisticRegression())
    return BadgeQuerier(model, strategy="margin", random_state=0)


def test_when_no_rows_are_left_files_are_empty(opened, tmp_path):
    session = opened(frame_of(n=3))
    session.export_csv(tmp_path / "all.csv", 9)
    assert session.export_label_studio(tmp_path / "tasks.json") == []
    assert json.loads((tmp_path / "tasks.json").read_text()) == []
    assert session.export_csv(tmp_path / "none.csv", annotator="ann") == []
    assert str(session.import_csv(tmp_path / "none.csv")) == "no answers"


EXPORTS = {
    "label studio": lambda session, path, n, **how: session.export_label_studio(
        path, n, **how
    ),
    "csv": lambda session, path, n, **how: session.export_csv(path, n, **how),
    "frame": lambda session, path, n, **how: session.export_frame(n, **how),
}


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"render": lambda row: row.size}, "`render` must be"),
        ({"render": lambda row: 1 / 0}, "division"),
        ({"render": lambda row: {"label": "x"}}, "name 'label' for itself"),
        ({"label": "x"}, "name 'x' for itself"),
    ],
    ids=["kind", "error", "rendered", "column"],
)
def test_an_export_that_must_fail_asks_for_no_rows(
    opened, tmp_path, export, fault, message
):
    session = opened()
    with pytest.raises(Exception, match=message):
        EXPORTS[export](session, tmp_path / "rows.csv", 30, **fault)
    # Not even a query was made.
    assert session._ledger.standing.seq == 0


@pytest.mark.parametrize("export", ["label studio", "csv"])
@pytest.mark.parametrize("link", [False, True])
def test_an_export_to_a_missing_folder_asks_for_no_rows(opened, tmp_path, export, link):
    session, path = opened(), tmp_path / "none" / "rows.csv"
    if link:
        path = tmp_path / "link.csv"
        path.symlink_to(tmp_path / "none" / "rows.csv")
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*none'"):
        EXPORTS[export](session, path, 30)
    assert session._ledger.standing.seq == 0


@pytest.mark.parametrize("export", EXPORTS)
def test_long_rows_of_numbers_are_refused_before_a_query(opened, tmp_path, export):
    session = opened(np.random.default_rng(0).normal(size=(9, 60)))
    with pytest.raises(TypeError, match="`render` must be"):
        EXPORTS[export](session, tmp_path / "rows.csv", 9)
    assert len(session.next(9)) == 9


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_export_that_fails_late_gives_back_what_it_took(
    opened, tmp_path, export, error
):
    session = opened()
    out = [task.id for task in session.export_csv(tmp_path / "out.csv", 4)]
    who = {"annotator": "table"}
    shown = []

    def render(row):
        shown.append(row)
        if len(shown) > 8:
            raise error("late")
        return {"x": row["x"]}

    with pytest.raises(error, match="late"):
        EXPORTS[export](session, tmp_path / "rows.csv", 30, render=render, **who)
    # Those of the earlier export are still out.
    assert session.progress().n_open == 4
    assert [task.id for task in session.next(4, **who)] == out
    assert len(session.next(30)) == 26


@pytest.mark.parametrize("export", ["label studio", "csv"])
def test_an_export_that_cannot_be_written_gives_back_what_it_took(
    opened, tmp_path, export, monkeypatch
):
    def full(*names):
        raise OSError(28, "No space left on device")

    session = opened()
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        EXPORTS[export](session, tmp_path / "rows.csv", 5)
    assert session.progress().n_open == 0
    assert len(session.next(30)) == 30


# Label Studio, back


@pytest.mark.parametrize("kind", ["JSON", "JSON-MIN"])
def test_answers_come_back_by_id_and_count_once(opened, ls, kind):
    session = opened()
    if kind == "JSON":
        path = ls(
            task(1, "row-3", annotation(11, choice("cat"))),
            task(2, "row-1", annotation(12, choice("dog"), by=2)),
        )
    else:
        path = ls(flat(11, "row-3", "cat"), flat(12, "row-1", "dog", annotator=2))
    imported = session.import_label_studio(path)
    assert str(imported) == "2 new"
    assert given(session) == {"row-3": "cat", "row-1": "dog"}
    assert list(session.labels()["annotator"]) == ["label-studio:1", "label-studio:2"]
    n_events = len(session.history())
    assert str(session.import_label_studio(path)) == "2 known already"
    # The other kind has the same annotations.
    both = ls(
        flat(11, "row-3", "cat"), task(2, "row-1", annotation(12, choice("dog"), by=2))
    )
    assert str(opened().import_label_studio(both)) == "2 known already"
    assert len(session.history()) == n_events


def test_rows_that_came_back_are_not_asked_again(opened, ls, tmp_path):
    session = opened()
    tasks = session.export_label_studio(tmp_path / "tasks.json", 3)
    session.import_label_studio(
        ls(*(task(i, t.id, annotation(i, choice("cat"))) for i, t in enumerate(tasks)))
    )
    assert session.progress().n_open == 0
    more = session.export_label_studio(tmp_path / "more.json", 27)
    assert len(more) == 27
    assert not {task.id for task in more} & {task.id for task in tasks}


def test_a_changed_annotation_corrects_and_an_older_export_does_not(opened, ls):
    session = opened()
    old = [task(1, "row-1", annotation(11, choice("cat")))]
    later = "2024-05-03T09:00:00.000000Z"
    new = [task(1, "row-1", annotation(11, choice("dog"), at=later))]
    session.import_label_studio(ls(*old))
    imported = session.import_label_studio(ls(*new))
    assert (imported.n_new, imported.n_corrected) == (0, 1)
    assert given(session) == {"row-1": "dog"}
    assert list(session.history()["kind"]) == ["labeled", "corrected"]
    assert str(session.import_label_studio(ls(*old))) == "1 known already"
    assert str(session.import_label_studio(ls(*new))) == "1 known already"
    assert given(session) == {"row-1": "dog"}


def test_what_was_corrected_here_is_not_undone_by_a_file(opened, ls):
    session = opened()
    session.import_label_studio(ls(task(1, "row-1", annotation(11, choice("cat")))))
    session.correct("row-1", "dog", annotator="label-studio:1")
    # Changed there as well, but not in its answer.
    later = annotation(11, choice("cat"), at="2024-05-03T09:00:00.000000Z")
    assert str(session.import_label_studio(ls(task(1, "row-1", later)))) == (
        "1 known already"
    )
    session = opened(classes=[*CLASSES, "cow"])
    latest = annotation(11, choice("cow"), at="2024-05-04T09:00:00.000000Z")
    imported = session.import_label_studio(ls(task(1, "row-1", latest)))
    assert reasons(imported.conflicts) == [
        ("row-1", "cow", "dog", "the session has another answer")
    ]
    assert given(session) == {"row-1": "dog"}
    imported = session.import_label_studio(
        ls(task(1, "row-1", latest)), on_conflict="correct"
    )
    assert str(imported) == "1 corrected"
    assert given(session) == {"row-1": "cow"}


@pytest.mark.parametrize("kind", ["Label Studio", "table"])
def test_what_somebody_has_decided_stays(opened, ls, kind):
    session = opened(classes=[*CLASSES, "cow"])

    def bring(label, at="2024-05-02T09:15:01.728353Z", **parameters):
        if kind == "table":
            return session.import_frame(table({"row-1": label}), **parameters)
        path = ls(task(1, "row-1", annotation(11, choice(label), at=at)))
        return session.import_label_studio(path, **parameters)

    assert str(bring("cat")) == "1 new"
    session.correct("row-1", "dog", annotator="ann")
    if kind == "table":
        assert len(bring("cat").conflicts) == 1
    else:
        assert str(bring("cat")) == "1 known already"
    later = "2024-05-03T09:00:00.000000Z"
    assert str(bring("dog", at=later)) == "1 known already"
    assert reasons(bring("cow", at=later).conflicts) == [
        ("row-1", "cow", "dog", "the session has another answer")
    ]
    assert given(session) == {"row-1": "dog"}
    assert str(bring("cow", at=later, on_conflict="correct")) in (
        "1 corrected",
        "1 corrected, 1 unlike another person's",
    )
    assert given(session) == {"row-1": "cow"}


def test_cancelled_ones_are_skips_unless_somebody_has_answered(opened, ls):
    session = opened()
    cancelled = {"was_cancelled": True}
    path = ls(
        task(1, "row-1", annotation(11, **cancelled)),
        task(
            2,
            "row-2",
            annotation(12, choice("cat"), by=2),
            annotation(13, **cancelled),
        ),
    )
    imported = session.import_label_studio(path)
    assert (imported.n_new, imported.n_skipped) == (1, 2)
    assert given(session) == {"row-2": "cat"}
    assert session.progress().n_skipped == 1
    assert str(session.import_label_studio(path)) == "3 known already"
    # Taken up again there.
    answered = annotation(11, choice("dog"), at="2024-05-03T09:00:00.000000Z")
    assert str(session.import_label_studio(ls(task(1, "row-1", answered)))) == "1 new"
    assert given(session) == {"row-2": "cat", "row-1": "dog"}


def test_several_people_are_kept_apart(opened, ls):
    session = opened()
    first = annotation(11, choice("cat"))
    path = ls(task(1, "row-1", first, annotation(12, choice("dog"), by=2)))
    imported = session.import_label_studio(path, annotators={1: "ann", 2: "bob"})
    assert imported.n_new == 2
    (answers,) = session.agreement()["answers"]
    assert answers == {"ann": "cat", "bob": "dog"}
    # One of them has changed an answer, and the other's still counts.
    later = annotation(12, choice("cat"), by=2, at="2024-05-03T09:00:00.000000Z")
    again = ls(task(1, "row-1", first, later))
    imported = session.import_label_studio(again, annotators={1: "ann", 2: "bob"})
    assert (imported.n_known, imported.n_corrected) == (1, 1)
    (answers,) = session.agreement()["answers"]
    assert answers == {"ann": "cat", "bob": "cat"}


def test_somebody_else_who_says_otherwise_is_reported(opened, ls):
    session = opened()
    session.label("row-1", "dog", annotator="ann")
    imported = session.import_label_studio(
        ls(task(1, "row-1", annotation(11, choice("cat"))))
    )
    assert str(imported) == "1 new, 1 unlike another person's"
    assert reasons(imported.disagreements) == [
        ("row-1", "cat", "dog", "somebody else disagrees")
    ]
    assert session.progress().n_contradictory == 1


def test_nothing_is_dropped_silently(opened, ls):
    session = opened()
    path = ls(
        task(1, "row-99", annotation(11, choice("cat"))),
        task(2, "row-1", annotation(12, choice("cow"))),
        task(3, ["row-1"], annotation(13, choice("cat"))),
        task(4, None, annotation(14, choice("cat"))),
        task(5, "row-2", annotation(15, choice("cat"))),
        task(6, "row-3", annotation(16, choice("cat")), annotation(17, choice("dog"))),
    )
    imported = session.import_label_studio(path)
    assert [each.reason for each in imported.refused] == [
        "the task has no 'skbadge_id' in its data",
        "there is no row with this id",
        "this is not one of the classes ['cat', 'dog']",
        "this can be no id",
    ]
    assert len(imported.conflicts) == 2
    assert given(session) == {"row-2": "cat"}
    problems = imported.problems()
    assert list(problems["problem"]) == ["conflict"] * 2 + ["refused"] * 4
    assert str(imported) == "1 new, 2 in conflict, 4 refused"


def test_a_cut_file_changes_nothing(opened, ls):
    session = opened()
    path = ls(*(task(i, f"row-{i}", annotation(i, choice("cat"))) for i in range(9)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="nothing of it was imported"):
        session.import_label_studio(path)
    assert len(session.history()) == 0


def test_answers_are_added_together_or_not_at_all(opened, ls, monkeypatch):
    session = opened()
    path = ls(*(task(i, f"row-{i}", annotation(i, choice("cat"))) for i in range(9)))
    write, calls = Page.write, []

    def failing(*arguments, **columns):
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        write(*arguments, **columns)

    monkeypatch.setattr(Page, "write", failing)
    with pytest.raises(KeyboardInterrupt):
        session.import_label_studio(path)
    assert len(opened().history()) == 0
    monkeypatch.undo()
    assert str(session.import_label_studio(path)) == "9 new"


# Tables


def test_a_table_goes_out_and_comes_back_in_any_order_partly_filled(opened):
    session = opened()
    frame = session.export_frame(8)
    assert list(frame.columns) == ["skbadge_id", "label", "skbadge_rank", "x", "y"]
    assert list(frame["skbadge_rank"]) == list(range(8))
    frame.loc[[1, 4, 6], "label"] = ["cat", " dog ", "cat"]
    filled = frame.sample(frac=1, random_state=0)[["y", "label", "skbadge_id"]]
    filled["remark"] = "mine"
    assert str(session.import_frame(filled)) == "3 new"
    ids = frame["skbadge_id"]
    assert given(session) == {ids[1]: "cat", ids[4]: "dog", ids[6]: "cat"}
    assert str(session.import_frame(filled)) == "3 known already"
    # The rest is still to be filled in.
    left = session.export_frame(5)
    assert list(left["skbadge_id"]) == [ids[i] for i in (0, 2, 3, 5, 7)]


def test_a_table_of_polars_comes_back_too(opened):
    polars = pytest.importorskip("polars")
    session = opened()
    frame = session.export_frame(3)
    filled = polars.DataFrame(
        {"label": ["cat", None, "dog"], "skbadge_id": list(frame["skbadge_id"])}
    )
    assert str(session.import_frame(filled)) == "2 new"


def test_hostile_cells_survive_a_csv_file(opened, tmp_path):
    frame = frame_of(ids=HOSTILE, text=HOSTILE)
    session = opened(frame, classes=HOSTILE, estimator=querier_of_numbers())
    path = tmp_path / "rows.csv"
    session.export_csv(path, len(HOSTILE))
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    # No cell of text is a formula.
    for name in ("skbadge_id", "text"):
        assert not cells[name].str.match(r"[=+\-@\t\r]").any()
    cells["label"] = [f"'{c}" if c[0] in "='@-\t" else c for c in HOSTILE]
    cells.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    imported = session.import_csv(path)
    assert imported.n_new == len(HOSTILE), imported.problems()
    # Each row has the label of its place in the file, and the ids are as they were.
    assert set(given(session)) == set(HOSTILE)
    assert set(given(session).values()) == set(HOSTILE)


@pytest.mark.parametrize(
    ("separator", "encoding", "end", "before"),
    [
        (",", "utf-8", "\n", ""),
        (",", "utf-8-sig", "\r\n", ""),
        (";", "utf-8-sig", "\r\n", ""),
        ("\t", "utf-16", "\r\n", ""),
        (";", "utf-8", "\r\n", "sep=;"),
    ],
)
def test_files_are_read_as_spreadsheets_save_them(
    opened, tmp_path, separator, encoding, end, before
):
    session = opened(frame_of(ids=range(30)), classes=[1, 2, 10])
    lines = [["label", "note", "skbadge_id", ""], ["2", "é,;", "7", ""]]
    lines += [["1.0", 'a "b"', "8", ""], ["", "", "9", ""], ["", "", "", ""]]
    quoted = [
        separator.join('"' + cell.replace('"', '""') + '"' for cell in line)
        for line in lines
    ]
    text = end.join(([before] if before else []) + quoted) + end
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    imported = session.import_csv(path)
    assert str(imported) == "2 new"
    assert given(session) == {7: 2, 8: 1}
    assert {type(label) for label in given(session).values()} <= {int, np.int64}


def test_ids_are_matched_only_where_they_can_mean_one_row(opened):
    session = opened(frame_of(ids=[1, "1", "007", 8, "x"]))
    frame = pd.DataFrame(
        {
            "skbadge_id": ["1", "7", "8", "08", " x", 8.0, 8.5, "", "x"],
            "label": ["cat"] * 9,
        },
        dtype=object,
    )
    imported = session.import_frame(frame)
    assert reasons(imported.refused) == [
        (None, "cat", None, "there is no id"),
        ("1", "cat", None, "the ids '1' and 1 look the same"),
        ("7", "cat", None, "there is no row with this id"),
        ("08", "cat", None, "there is no row with this id"),
        (" x", "cat", None, "there is no row with this id"),
        (8.5, "cat", None, "there is no row with this id"),
    ]
    assert [each.where for each in imported.refused][:2] == ["row 9", "row 2"]
    assert given(session) == {8: "cat", "x": "cat"}


@pytest.mark.parametrize("by", ["frame", "csv"])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_ids_that_are_floats_come_back(opened, tmp_path, by, shift):
    session = opened(frame_of(ids=[0.0 + shift, 1.0 + shift, 128.0 + shift]))
    frame = session.export_frame(3)
    frame["label"] = ["cat", "dog", "cat"]
    if by == "csv":
        path = tmp_path / "rows.csv"
        frame.to_csv(path, index=False)
        imported = session.import_csv(path)
    else:
        imported = session.import_frame(frame)
    assert not imported.refused
    assert len(given(session)) == 3


@pytest.mark.parametrize(
    ("classes", "label", "meant"),
    [
        ([0, 1], "1", 1),
        ([0, 1], "1.0", 1),
        ([0, 1], 1.0, 1),
        ([1.0, 2.0], "2", 2.0),
        (["0", "1"], "1", "1"),
        (["0", "1"], 1, "1"),
        ([False, True], "TRUE", True),
        (["yes", "no"], "yes ", "yes"),
        (["+", "-"], "'+", "+"),
    ],
)
def test_labels_are_those_of_the_classes(opened, tmp_path, classes, label, meant):
    session = opened(classes=classes)
    frame = pd.DataFrame({"skbadge_id": ["row-1"], "label": [label]})
    if isinstance(label, str):
        path = tmp_path / "rows.csv"
        frame.to_csv(path, index=False)
        assert str(session.import_csv(path)) == "1 new"
    else:
        assert str(session.import_frame(frame)) == "1 new"
    (found,) = session.labels()["label"]
    assert found == meant
    assert isinstance(found, str) == isinstance(meant, str)


@pytest.mark.parametrize("label", ["Yes", "2", "maybe", "yes;no"])
def test_labels_that_are_no_class_are_refused(opened, label):
    session = opened(classes=["yes", "no", "1"])
    frame = pd.DataFrame({"skbadge_id": ["row-1"], "label": [label]})
    imported = session.import_frame(frame)
    assert reasons(imported.refused) == [
        ("row-1", label, None, "this is not one of the classes ['yes', 'no', '1']")
    ]


def test_without_classes_labels_are_of_the_kind_there_is(opened):
    session = opened(classes=None)
    session.label_many(["row-1", "row-2"], [3, 4])
    frame = pd.DataFrame(
        {"skbadge_id": ["row-3", "row-4", "row-5"], "label": ["3", "7", "x"]}
    )
    imported = session.import_frame(frame)
    assert given(session) == {"row-1": 3, "row-2": 4, "row-3": 3, "row-4": 7}
    assert [each.reason for each in imported.refused] == [
        "labels are numbers, such as 3, and this is none"
    ]


def test_numbers_with_a_fraction_are_no_classes(opened):
    session = opened(classes=None)
    frame = pd.DataFrame({"skbadge_id": ["row-1", "row-2"], "label": [2.5, 3.0]})
    imported = session.import_frame(frame)
    assert given(session) == {"row-2": 3}
    (reason,) = [each.reason for each in imported.refused]
    assert "this is a number with a fraction, which only a regressor learns" in reason


def test_targets_of_a_regression_are_numbers(opened):
    model = BadgeQuerier(Ridge(), strategy="random", random_state=0)
    session = opened(classes=None, estimator=model)
    frame = pd.DataFrame(
        {"skbadge_id": ["row-1", "row-2", "row-3"], "label": ["1.5", "2", "x"]}
    )
    imported = session.import_frame(frame)
    assert given(session) == {"row-1": 1.5, "row-2": 2.0}
    assert [each.reason for each in imported.refused] == [
        "labels are numbers, such as 3.5, and this is none"
    ]


def table(rows, **columns):
    frame = pd.DataFrame({"skbadge_id": list(rows), "label": list(rows.values())})
    return frame.assign(**columns)


def test_conflicts_are_listed_and_change_nothing(opened):
    session = opened()
    session.label("row-1", "dog", annotator="ann")
    session.label("row-2", "dog")
    # Nobody knows who filled it in: any answer may be theirs.
    imported = session.import_frame(table({"row-1": "cat", "row-2": "cat"}))
    assert reasons(imported.conflicts) == [
        ("row-1", "cat", "dog", "the session has another answer"),
        ("row-2", "cat", "dog", "the session has another answer"),
    ]
    assert given(session) == {"row-1": "dog", "row-2": "dog"}
    assert str(session.import_frame(table({"row-1": "dog"}))) == "1 known already"
    imported = session.import_frame(table({"row-1": "cat"}), on_conflict="correct")
    assert str(imported) == "1 corrected"
    assert given(session)["row-1"] == "cat"
    assert session.progress().n_contradictory == 0


def test_people_in_a_table_are_kept_apart(opened):
    session = opened()
    session.label("row-1", "dog", annotator="ann")
    frame = table({"row-1": "cat", "row-2": "cat"}, annotator=["bob", "ann"])
    imported = session.import_frame(frame)
    assert (imported.n_new, len(imported.disagreements)) == (2, 1)
    frame = table({"row-1": "cat"}, annotator=["ann"])
    assert len(session.import_frame(frame).conflicts) == 1
    assert len(session.import_frame(table({"row-1": "cat"}), annotator="ann").conflicts)
    assert str(session.import_frame(frame, on_conflict="correct")) == "1 corrected"
    (answers,) = session.agreement()["answers"]
    assert answers == {"ann": "cat", "bob": "cat"}


def test_a_named_persons_table_names_them(opened, tmp_path):
    session = opened()
    path = tmp_path / "rows.csv"
    tasks = session.export_csv(path, 3, annotator="ann")
    cells = pd.read_csv(path)
    assert set(cells["annotator"]) == {"ann"}
    cells.assign(label="cat").to_csv(path, index=False)
    session.import_csv(path)
    assert set(session.labels()["annotator"]) == {"ann"}
    assert {task.id for task in tasks} == set(given(session))


def test_one_row_answered_twice_in_a_file_is_a_conflict_in_any_order(opened):
    session = opened()
    frame = pd.DataFrame(
        {
            "skbadge_id": ["row-1", "row-1", "row-2", "row-2"],
            "label": ["cat", "dog", "cat", "cat"],
        }
    )
    for each in (frame, frame[::-1]):
        imported = session.import_frame(each, on_conflict="correct")
        assert [p.reason for p in imported.conflicts] == [
            "answered differently in this file"
        ] * 2
        assert given(session) == {"row-2": "cat"}


def test_one_row_answered_twice_alike_counts_once(opened, ls):
    session = opened()
    frame = pd.DataFrame({"skbadge_id": ["row-2"] * 2, "label": ["cat", "cat "]})
    assert str(session.import_frame(frame)) == "1 new, 1 known already"
    twice = [task(1, "row-3", annotation(11, choice("dog")))] * 2
    assert str(session.import_label_studio(ls(*twice))) == "1 new, 1 known already"
    assert list(session.history()["kind"]) == ["labeled"] * 2


def test_what_was_undone_can_be_imported_again(opened, ls):
    session = opened()
    path = ls(task(1, "row-3", annotation(11, choice("dog"))))
    session.import_label_studio(path)
    assert session.undo(annotator="label-studio:1") == "row-3"
    assert given(session) == {}
    assert str(session.import_label_studio(path)) == "1 new"
    assert given(session) == {"row-3": "dog"}


def test_the_same_file_does_not_bring_back_what_was_withdrawn(opened):
    session = opened()
    frame = table({"row-1": "cat", "row-2": "cat"})
    session.import_frame(frame)
    session.withdraw("row-1")
    session.skip("row-2")
    imported = session.import_frame(frame)
    assert [each.reason for each in imported.conflicts] == [
        "it was withdrawn, or the row was skipped"
    ] * 2
    assert given(session) == {}
    assert str(session.import_frame(frame, on_conflict="correct")) == "2 new"


def test_a_table_with_answers_in_it_is_never_replaced(opened, tmp_path):
    session = opened()
    path = tmp_path / "rows.csv"
    session.export_csv(path, 3)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        session.export_csv(path, 4)
    session.export_csv(path, 4, overwrite=True)
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    cells.loc[2, "label"] = "cat"
    cells.to_csv(path, index=False)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="has answers in it"):
        session.export_csv(path, 4, overwrite=True)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FileExistsError, match="no earlier export"):
        session.export_csv(path, 4, overwrite=True)
    path.write_bytes(before)
    assert str(session.import_csv(path)) == "1 new"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no whole CSV file"),
        (b"a,b\n1,2\n", "must have the columns 'skbadge_id' and 'label'"),
        (b'skbadge_id,label\nrow-1,cat\nrow-2,"do', "no whole CSV file"),
        (b"skbadge_id,label\nrow-1,cat,x,y\n", "no whole CSV file"),
        (b"skbadge_id,label\nrow-1,c\xe9t\n", 'save it as "CSV UTF-8"'),
        (b"skbadge_id,label,label\nrow-1,cat,dog\n", "two columns named 'label'"),
    ],
)
def test_a_broken_table_is_one_clear_error(opened, tmp_path, content, message):
    session = opened()
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        session.import_csv(path)
    assert len(session.history()) == 0


def test_bad_parameters_are_refused(opened):
    session = opened()
    with pytest.raises(ValueError, match=r"`on_conflict` must be.*Got 'replace'"):
        session.import_frame(table({"row-1": "cat"}), on_conflict="replace")
    with pytest.raises(ValueError, match="needs the name 'x' for itself"):
        session.export_frame(3, label="x")


def test_answers_of_a_file_are_trained_on(opened):
    session = opened(train_every=4)
    rows = {f"row-{i}": CLASSES[i % 2] for i in range(6)}
    session.import_frame(table(rows))
    assert session.progress().n_trainings == 1
    assert len(session.querier.y_labeled_) == 6


def test_ten_thousand_answers_take_seconds(opened, ls):
    n = 10_000
    ids = [f"row-{i}" for i in range(n)]
    session = opened(frame_of(ids=ids))
    answers = [annotation(i, choice("cat")) for i in range(n)]
    path = ls(*map(task, range(n), ids, answers))
    start = process_time()
    assert session.import_label_studio(path).n_new == n
    assert session.import_label_studio(path).n_known == n
    assert session.import_frame(table(dict.fromkeys(ids, "cat"))).n_known == n
    # It takes 4 s; by far more if anything is done for each pair of answers.
    assert process_time() - start < 30


def test_what_is_no_table_is_named(opened, tmp_path):
    session = opened()
    with pytest.raises(TypeError, match=r"`frame` must be a data frame.*`import_csv`"):
        session.import_frame("back.csv")
    frame = pd.DataFrame({"skbadge_id": ["row-1"], "Label": ["cat"]})
    with pytest.raises(ValueError, match=r"only skbadge_id, Label\. Another name"):
        session.import_frame(frame)
    session.import_frame(frame, label="Label")
    assert given(session) == {"row-1": "cat"}
    path = tmp_path / "back.csv"
    path.write_bytes(b"PK\x03\x04\xb3\xff")
    with pytest.raises(ValueError, match="Workbooks and other encodings are not read"):
        session.import_csv(path)
