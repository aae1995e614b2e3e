"""Files and values of any kind are imported, refused one by one, or one clear error."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skbadge import BadgeQuerier
from tests.labeling._sessions import X, open_session

_TIMES = {"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-02T00:00:00Z"}
_RESULT = {"from_name": "label", "type": "choices", "value": {"choices": ["ash"]}}
_FILES = {
    "json": [
        {
            "id": 1,
            "data": {"skbadge_id": 1},
            "annotations": [
                {"id": 1, "completed_by": {"id": 1}, "result": [_RESULT], **_TIMES}
            ],
        }
    ],
    "min": [
        {
            **{"id": 1, "skbadge_id": 1, "label": "ash", "annotator": 1},
            **{"annotation_id": 3, **_TIMES},
        }
    ],
}
_VALUES = [
    *(None, 5, -1.5, True, "x", "", "\ud800", "a\0", 10**400, float("nan")),
    *([], [1], [[1]], [None], {}, {"a": 1}, {"id": [1]}, {"id": {}}),
    *({"choices": None}, {"choices": [["a"]]}, {"number": float("nan")}),
]


def places(tree, path=()):
    yield path
    branches = {"dict": dict.items, "list": enumerate}.get(type(tree).__name__)
    for key, branch in branches(tree) if branches else ():
        yield from places(branch, (*path, key))


def changed(tree, path, value):
    if not path:
        return value
    tree = json.loads(json.dumps(tree))
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return tree


@pytest.fixture(params=["classes", "no classes", "numbers"])
def session(request, tmp_path):
    options = {"classes": ["ash", "bay"]} if request.param == "classes" else {}
    if request.param == "numbers":
        options["querier"] = BadgeQuerier(Ridge(), strategy="core_set", random_state=0)
    with open_session(tmp_path, **options) as found:
        yield found


@pytest.mark.parametrize("kind", _FILES)
def test_label_studios_files_may_hold_anything_anywhere(session, tmp_path, kind):
    path = tmp_path / "export.json"
    for place in places(_FILES[kind]):
        for value in _VALUES:
            path.write_text(json.dumps(changed(_FILES[kind], place, value)))
            if not place and not isinstance(value, dict | list):
                with pytest.raises(ValueError, match="must hold a list of tasks"):
                    session.import_label_studio(path)
                continue
            session.import_label_studio(path).problems()
            assert session.import_label_studio(path).n_new == 0
    assert len({type(label) for label in session.labels()["label"]}) <= 1


def test_only_own_tasks_are_replaced_whatever_they_hold(session, tmp_path):
    path = tmp_path / "tasks.json"
    session.export_label_studio(path, 1)
    tasks = json.loads(path.read_text())
    for place in places(tasks):
        for value in (None, 5, "x", [1], {"a": 1}):
            path.write_text(json.dumps(changed(tasks, place, value)))
            is_own = "score" in place or "result" in place or "data" in place[:-1]
            if is_own or "x0" in place:
                continue
            with pytest.raises(FileExistsError):
                session.export_label_studio(path, 1, overwrite=True)


_BAD = [
    *(b"ash", (1,), pd.Timestamp("2020-01-01"), float("inf"), 10**400, [1], 1j),
    *(object(), "\ud800", "a\0", np.array([1, 2]), np.datetime64("2020-01-01", "ns")),
]


@pytest.mark.parametrize("column", ["skbadge_id", "label", "annotator"])
def test_frames_may_hold_anything_anywhere(session, column):
    for value in _BAD:
        row = {"skbadge_id": 1, "label": "ash", "annotator": "ann", column: value}
        frame = pd.DataFrame({k: pd.Series([v], dtype=object) for k, v in row.items()})
        assert set(session.import_frame(frame).problems()["problem"]) <= {
            *("refused", "conflict", "disagreement")
        }
    session.labels()
    session.history()


def test_labels_of_several_types_are_refused_in_any_order(tmp_path):
    with open_session(tmp_path) as session:
        for labels in (["ash", 3, True], [True, 3, "ash"]):
            frame = pd.DataFrame({"skbadge_id": [1, 2, 3], "label": labels})
            assert len(session.import_frame(frame).refused) == 3


@pytest.mark.parametrize("name", ["", 5, "\ud800", ["ann"]])
def test_people_need_names(tmp_path, name):
    frame = pd.DataFrame({"skbadge_id": [1], "label": ["ash"]})
    path = tmp_path / "export.json"
    path.write_text(json.dumps(_FILES["json"]))
    with open_session(tmp_path) as session:
        with pytest.raises(ValueError, match="`annotator` must be a text"):
            session.import_frame(frame, annotator=name)
        with pytest.raises(ValueError, match="`annotators` must be a dict"):
            session.import_label_studio(path, annotators=[name])
        assert session.progress().n_labeled == 0


@pytest.mark.parametrize("frame", [None, "x", {"skbadge_id": [1]}, np.zeros((2, 2))])
def test_only_a_frame_will_do(session, frame):
    with pytest.raises(TypeError, match="`frame` must be a data frame"):
        session.import_frame(frame)


def test_a_frame_with_two_columns_of_one_name_is_refused(session):
    frame = pd.DataFrame([[1, "a", "b"]], columns=["skbadge_id", "label", "label"])
    with pytest.raises(ValueError, match="two columns named 'label'"):
        session.import_frame(frame)


def test_errors_stay_short(session, tmp_path):
    path = tmp_path / "a.csv"
    for text in ("x" * 10**6, "skbadge_id,label\n1,ash,bay\n", ",".join("abcd" * 999)):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"a\.csv") as error:
            session.import_csv(path)
        assert len(str(error.value)) < 600
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lease": True}, "`lease` must be a number"),
        ({"timeout": None}, "`timeout` must be a number of seconds"),
        ({"timeout": float("nan")}, "`timeout` must be a number of seconds"),
        ({"classes": "ash"}, "`classes` must be a list"),
        ({"classes": 5}, "`classes` must be a list"),
        ({"classes": []}, "`classes` must be distinct, and one at least"),
        ({"classes": [0.0, -0.0]}, "`classes` must be distinct"),
        ({"classes": ["a", "b\0"]}, "null character"),
    ],
)
def test_parameters_that_would_do_harm_later_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        open_session(tmp_path, **options)


def test_a_lease_may_be_of_any_length(tmp_path):
    with open_session(tmp_path, annotator="ann", lease=1e300) as session:
        session.next(2)
        assert len(session.next(2)) == 2
        with open_session(tmp_path, annotator="bob", lease=1e300) as other:
            assert len(other.next(2)) == 2


@pytest.mark.parametrize("kind", ["datetime64[ns]", "timedelta64[ns]"])
def test_times_are_no_ids_and_no_labels(tmp_path, kind):
    times = np.arange(len(X)).astype(kind)
    with pytest.raises(TypeError, match="`ids` must be a string"):
        open_session(tmp_path, ids=times)
    with open_session(tmp_path) as session:
        with pytest.raises(TypeError, match="`y` must be a string"):
            session.label(1, times[1])
        with pytest.raises(TypeError, match="`id` must be a string"):
            session.label(10**5000, "ash")
        with pytest.raises(ValueError, match="null character"):
            session.label(1, "ash\0")
        assert session.progress().n_labeled == 0
