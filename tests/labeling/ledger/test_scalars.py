"""Ids and labels come back as they were, whatever they are."""

import enum
import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession, read_labels
from skbadge.labeling.ledger._scalars import as_text, from_text
from tests.labeling._sessions import X, ids_of, make_querier, open_session, read

HOSTILE = [
    "",
    " ",
    "a\nb\r\n\tc",
    "it's \"quoted\" \\ 'so'",
    "'; DROP TABLE events; --",
    "\x00 and \x1f",
    "ü ß 漢字 🙂 \u202e",
    "e\u0301",
    "\u00e9",
    "\ud800",
    "x" * 10_000,
    "null",
    "true",
    "3",
    "3.0",
    "NaN",
    "%s ? :id {}",
]
DISTINCT = [*HOSTILE, 3, 3.5, True, False, 0, -7, 2**70, 1e300, 5e-324, 0.1]


class Color(enum.StrEnum):
    RED = "red"


def test_values_come_back_with_their_types():
    for value in [*DISTINCT, 3.0, 1.0, 0.0]:
        found = from_text(as_text(value, "y"))
        assert found == value
        assert type(found) is type(value)
    assert len({as_text(value, "y") for value in [*DISTINCT, 3.0, 1.0, 1, 0.0]}) == (
        len(DISTINCT) + 4
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int8(3), 3),
        (np.uint64(2**63), 2**63),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("ash"), "ash"),
        (np.array(1), 1),
        (np.array("ash"), "ash"),
        (torch.tensor(2), 2),
        (torch.tensor(0.5), 0.5),
        (torch.tensor(True), True),
        (Color.RED, "red"),
        (enum.IntEnum("Size", ["BIG"]).BIG, 1),
    ],
)
def test_scalars_of_others_become_those_of_python(value, expected):
    found = from_text(as_text(value, "y"))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        *(None, np.nan, np.inf, -np.inf, b"ash", 1j, (1,), [1], {}, object()),
        *(np.array([1]), torch.tensor([1]), torch.tensor(np.nan), np.array(b"ash")),
        *(np.datetime64(1, "ns"), np.array(1, "m8[ns]")),
    ],
)
def test_what_a_ledger_cannot_hold_is_refused(value):
    with pytest.raises(TypeError, match="`y` must be a string, an int, a finite float"):
        as_text(value, "y")


@pytest.mark.parametrize("kind", [str, float, int, bool])
def test_labels_of_all_kinds_go_through_a_session(tmp_path, kind):
    labels = [value for value in [*DISTINCT, 2.0] if type(value) is kind]
    if kind is int:
        # No array of classes holds it.
        labels.remove(2**70)
    # Those with a fraction are the targets of a regressor.
    querier = BadgeQuerier(Ridge()) if kind is float else None
    classes = None if kind is float else labels
    with open_session(tmp_path, querier=querier, classes=classes) as session:
        session.label_many(range(len(labels)), labels)
    with open_session(tmp_path, querier=querier) as session:
        found = session.labels()["label"].tolist()
        assert found == labels
        assert all(type(each) is kind for each in found)


def test_ids_of_all_kinds_go_through_a_session(tmp_path):
    ids = [*DISTINCT, *(f"id {i}" for i in range(300 - len(DISTINCT)))]
    with open_session(tmp_path, ids=ids) as session:
        found = ids_of(session.next(300))
        assert len(found) == 300
        session.label_many(found, ["ash"] * 300)
    with open_session(tmp_path, ids=ids) as session:
        frame = session.labels()
        kinds = {(type(id), id) for id in frame.index}
        assert kinds == {(type(id), id) for id in ids}
        for id in DISTINCT:
            session.correct(id, "bay")
        assert session.progress().by_class["bay"] == len(DISTINCT)


def test_ids_of_several_types_stay_apart_in_frames(tmp_path):
    # Of these two, pandas would make one type.
    ids = [1, 2.0, *range(10, 308)]
    with open_session(tmp_path, ids=ids, classes=[1, 2.0]) as session:
        session.label_many(ids[:2], [1, 2.0])
        for frame in (session.labels(), session.history().set_index("id")):
            assert list(map(repr, frame.index)) == ["1", "2.0"]
            # Labels that are equal are one, however they are written.
            assert list(map(repr, frame["label"])) == ["1", "2"]


def test_other_programs_read_ids_and_labels_as_json(tmp_path):
    ids = [*HOSTILE, *range(300 - len(HOSTILE))]
    with open_session(tmp_path, ids=ids) as session:
        session.label_many(HOSTILE, HOSTILE)
    rows = read(tmp_path, "SELECT id, label FROM events WHERE kind = 'labeled'")
    assert [json.loads(id) for id, _ in rows] == HOSTILE
    assert [json.loads(label) for _, label in rows] == HOSTILE
    assert rows[6] == ('"ü ß 漢字 🙂 \u202e"',) * 2


def test_people_and_reasons_may_be_called_anything(tmp_path):
    names = [name for name in HOSTILE if name and name != "\ud800"]
    with open_session(tmp_path) as session:
        for row, name in enumerate(names):
            session.label(row, "ash", annotator=name)
            session.skip(200 + row, reason=name, annotator=name)
            assert session.next(annotator=name)
        assert session.progress().by_annotator == dict.fromkeys(names, 1)
        history = session.history().query("kind == 'skipped'")
        assert history["reason"].tolist() == names
        assert history["annotator"].tolist() == names
        for wrong in ("\ud800", 3, b"ann"):
            with pytest.raises(ValueError, match="`annotator` must be a text"):
                session.label(0, "ash", annotator=wrong)
            with pytest.raises(ValueError, match="`reason` must be a text"):
                session.skip(0, reason=wrong)


def test_a_store_may_be_called_anything(tmp_path):
    for name in ("it's.sqlite", "a b?c=d#e%20", "ü🙂", "-", "x" * 200):
        with LabelingSession(make_querier(), X, store=tmp_path / name) as session:
            session.label(1, "ash")
        assert len(read_labels(tmp_path / name)) == 1
