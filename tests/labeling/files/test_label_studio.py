"""Label Studio's files, made and read; the files here are like those it exports."""

import json
import xml.etree.ElementTree as ET

import pytest

from skbadge.labeling.files._fields import fields_of
from skbadge.labeling.files._label_studio import (
    is_tasks_file,
    label_studio_config,
    read_label_studio,
    tasks_for,
)
from tests.labeling.files._exports import annotation, choice, flat, task

HOSTILE = [
    'a "quote"',
    "<script>alert('x')</script>",
    "two\nlines",
    "a,b;c",
    "ŝ 🐍",
    "",
]


@pytest.fixture
def read(tmp_path):
    def read(items, **parameters):
        path = tmp_path / "project-83-at-2024-05-02-09-16-1f2e3d4c.json"
        text = items if isinstance(items, str) else json.dumps(items)
        path.write_text(text, encoding="utf-8")
        return read_label_studio(path, **parameters)

    return read


# Tasks


def test_tasks_carry_the_id_the_content_and_the_order_of_the_picks():
    tasks = tasks_for(["b", 7, "a"], [{"text": text} for text in HOSTILE[:3]])
    assert [each["data"]["skbadge_id"] for each in tasks] == ["b", 7, "a"]
    assert [each["data"]["text"] for each in tasks] == HOSTILE[:3]
    scores = [prediction["score"] for t in tasks for prediction in t["predictions"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    # No label is proposed, or people would be swayed.
    assert all(t["predictions"][0]["result"] == [] for t in tasks)


@pytest.mark.parametrize("name", ["skbadge_id", "label"])
def test_content_may_not_hide_an_id_or_an_answer(name):
    with pytest.raises(ValueError, match=f"needs the name '{name}' for itself"):
        tasks_for([1], [{name: "x"}])


def test_the_interface_is_whole_xml_whatever_the_classes_are_called():
    text = label_studio_config(HOSTILE, ["image", 'te"xt'], label="lab&el")
    root = ET.fromstring(text)
    assert [each.get("value") for each in root.iter("Choice")] == HOSTILE
    assert [each.tag for each in root] == ["Image", "Text", "Choices"]
    assert root[1].get("value") == '$te"xt'
    assert root[2].get("toName") == "image"
    assert root[2].get("name") == "lab&el"


@pytest.mark.parametrize("classes", [[1, "1"], []])
def test_the_interface_needs_classes_that_can_be_told_apart(classes):
    with pytest.raises(ValueError, match="classes must differ as text"):
        label_studio_config(classes)


def test_only_files_of_tasks_are_taken_for_such(tmp_path):
    path = tmp_path / "tasks.json"
    tasks = tasks_for([1, 2], [{"text": "x"}, {"text": "y"}])
    path.write_text(json.dumps(tasks))
    assert is_tasks_file(path)
    for other in ("", "{", [task(1, 1)], [*tasks, 3], {"data": {}}):
        path.write_text(other if isinstance(other, str) else json.dumps(other))
        assert not is_tasks_file(path)
    path.write_text(json.dumps([tasks[0] | {"annotations": []}]))
    assert not is_tasks_file(path)


# Exports as JSON


def test_annotations_are_read_and_predictions_and_drafts_are_not(read):
    items = [
        task(1, "a", annotation(11, choice("cat"))),
        task(2, "b", drafts=[annotation(12, choice("dog"))]),
        task(3, 7, annotation(13, choice("dog"), by=2), annotation(14, choice("cat"))),
    ]
    answers, refused = read(items)
    found = [(each.id, each.label, each.annotator) for each in answers]
    assert found == [
        ("a", "cat", "label-studio:1"),
        (7, "dog", "label-studio:2"),
        (7, "cat", "label-studio:1"),
    ]
    assert refused == []
    assert answers[0].where == "annotation 11 of task 1"
    assert answers[0].source == "label-studio:11:2024-05-02T09:15:01.728331Z"
    assert answers[0].version == "2024-05-02T09:15:01.728353Z"


def test_a_cancelled_annotation_is_a_skip_even_with_a_result(read):
    items = [
        task(1, "a", annotation(11, was_cancelled=True)),
        task(2, "b", annotation(12, choice("cat"), was_cancelled=True)),
    ]
    answers, refused = read(items)
    assert [(each.id, each.label) for each in answers] == [("a", None), ("b", None)]
    assert refused == []


def test_what_is_no_single_answer_is_refused_with_its_place_and_reason(read):
    items = [
        task(1, None, annotation(11, choice("cat"))),
        task(2, "b", annotation(12)),
        task(3, "c", annotation(13, choice("cat", "dog"))),
        task(4, "d", annotation(14, choice("cat"), choice("dog"))),
        "text",
    ]
    answers, refused = read(items)
    assert answers == []
    assert [(each.where, each.reason) for each in refused] == [
        ("annotation 11 of task 1", "the task has no 'skbadge_id' in its data"),
        ("annotation 12 of task 2", "there is no answer"),
        ("annotation 13 of task 3", "this is not one answer"),
        ("annotation 14 of task 4", "this is not one answer"),
        ("item 5", "this is no task"),
    ]


def test_the_control_is_found_out_or_named(read):
    items = [task(1, "a", annotation(11, choice("cat", name="kind")))]
    assert read(items)[0][0].label == "cat"
    both = annotation(12, choice("cat", name="kind"), choice("old", name="age"))
    items.append(task(2, "b", both))
    with pytest.raises(ValueError, match=r"`label` must name the control.*age, kind"):
        read(items)
    answers, refused = read(items, label="age")
    assert [each.label for each in answers] == ["old"]
    assert [each.reason for each in refused] == ["there is no answer"]


def test_numbers_and_ratings_are_answers_too(read):
    items = [
        task(1, "a", annotation(11, choice(3.5, kind="number"))),
        task(2, "b", annotation(12, choice(4, kind="rating"))),
    ]
    assert [each.label for each in read(items)[0]] == [3.5, 4]


def test_people_are_called_the_same_in_both_kinds_of_exports(read):
    user = {"id": 3, "email": "ann@example.org", "first_name": "Ann", "last_name": ""}
    address = {"email": "bob@example.org"}
    items = [
        task(1, "a", annotation(11, choice("cat"), by=user)),
        task(2, "b", annotation(12, choice("cat"), by=address)),
        task(3, "c", annotation(13, choice("cat"), by=None)),
        flat(14, "d", "cat", annotator=3),
        flat(15, "e", "cat", annotator="bob@example.org"),
    ]
    people = [each.annotator for each in read(items)[0]]
    one, bob = "label-studio:3", "bob@example.org"
    assert people == [one, bob, "label-studio", one, bob]
    names = {"ann@example.org": "Ann", 3: "Ann", "bob@example.org": "Bob"}
    people = [each.annotator for each in read(items, annotators=names)[0]]
    assert people == ["Ann", "Bob", "label-studio", "Ann", "Bob"]


def test_an_old_export_and_a_single_task_are_read(read):
    old = task(1, "a")
    del old["annotations"]
    old["completions"] = [annotation(11, choice("cat")), annotation(12, skipped=True)]
    answers, _ = read(old)
    assert [each.label for each in answers] == ["cat", None]


# Exports as JSON_MIN


def test_the_flat_kind_is_read_and_its_annotations_are_the_same_ones(read):
    items = [flat(11, "a", "cat"), flat(12, 7, [{"number": 3}], task_id=2)]
    answers, refused = read(items)
    assert [(each.id, each.label) for each in answers] == [("a", "cat"), (7, 3)]
    assert refused == []
    same, _ = read([task(1, "a", annotation(11, choice("cat")))])
    assert answers[0] == same[0]


def test_what_the_flat_kind_has_of_no_answer_or_several_is_refused(read):
    items = [
        flat(11, "a", None),
        flat(12, "b", {"choices": ["cat", "dog"]}),
        flat(13, "c", ["cat", "dog"]),
        flat(14, None, "cat"),
        {"text": "no annotation"},
    ]
    answers, refused = read(items)
    assert answers == []
    assert [each.reason for each in refused] == [
        "there is no answer",
        "this is not one answer",
        "this is not one answer",
        "the task has no 'skbadge_id' in its data",
        "this is no annotation",
    ]


# Broken files


@pytest.mark.parametrize("n_kept", [0, 1, 50, 500])
def test_a_cut_file_is_one_clear_error(read, n_kept):
    text = json.dumps([task(1, "a", annotation(11, choice("cat")))])
    with pytest.raises(ValueError, match=r"is no whole JSON file, and nothing of it"):
        read(text[:n_kept])


def test_other_files_are_refused(read, tmp_path):
    with pytest.raises(ValueError, match=r"must hold a list of tasks.*Got str"):
        read('"text"')
    with pytest.raises(ValueError, match="is no whole JSON file"):
        read("[" * 100_000)
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\x00\x81")
    with pytest.raises(ValueError, match="is no whole JSON file"):
        read_label_studio(binary)
    with pytest.raises(FileNotFoundError):
        read_label_studio(tmp_path / "none.json")


# Content of rows


def test_the_content_of_a_row_is_plain():
    pd = pytest.importorskip("pandas")
    np = pytest.importorskip("numpy")
    values = {"n": np.int64(3), "x": np.nan, "t": pd.Timestamp("2024-05-02"), 4: True}
    row = pd.Series(values | {"na": pd.NA, "s": "=cmd", "inf": np.inf}, dtype=object)
    assert fields_of(row) == {
        "n": 3,
        "x": "",
        "t": "2024-05-02T00:00:00",
        "4": True,
        "na": "",
        "s": "=cmd",
        "inf": "inf",
    }
    assert fields_of("text") == {"text": "text"}
    assert fields_of(np.array([1.5, 2])) == {"x0": 1.5, "x1": 2.0}
    assert fields_of(3, lambda row: {"image": f"/{row}.png"}) == {"image": "/3.png"}
    assert fields_of({"a": np.arange(3), "b": None}) == {"a": "[0, 1, 2]", "b": ""}
    json.dumps(fields_of(row))


@pytest.mark.parametrize("render", [None, lambda row: 3, lambda row: {"image": row}])
def test_rows_that_tell_a_person_nothing_need_a_function(render):
    np = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match="`render` must be a function"):
        fields_of(np.zeros((28, 28)), render)
