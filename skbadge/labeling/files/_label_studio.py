"""Label Studio's files: tasks that go out, and both kinds of exports that come back.

The formats are those of https://labelstud.io/guide/task_format and, for JSON_MIN, of
the converter of label-studio-sdk. A task carries the row's id in its data, for that is
what both kinds of exports keep.
"""

import json
from xml.sax.saxutils import escape

from skbadge.labeling.files._fields import ID, LABEL, check_free
from skbadge.labeling.files._imported import Answer, Problem

MODEL = "skbadge"
# Whom tasks are with, and who answered where an export does not say.
UNKNOWN = "label-studio"
_TAGS = {"image": "Image", "audio": "Audio", "video": "Video", "html": "HyperText"}
# What a result's value holds, by the kinds of controls with one answer.
_VALUES = ("choices", "number", "rating")
_IN_ATTRIBUTES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def tasks_for(ids, contents, label=LABEL):
    """Tasks to import into Label Studio, in the order of the picks.

    Parameters
    ----------
    ids : list of int or str
        The rows' ids, first pick first.

    contents : list of dict
        What to show of each.

    label : str, default="label"
        Name of the control. JSON_MIN has data and answers side by side, so that the
        content must not have it.

    Returns
    -------
    tasks : list of dict
        The prediction of a task has no result, which would sway people, but a score
        between 0 and 1, greatest for the first pick.
    """
    check_free((ID, label), contents, label)
    tasks = []
    for rank, (row, content) in enumerate(zip(ids, contents, strict=True)):
        score = 1 - rank / len(ids)
        predictions = [{"model_version": MODEL, "score": score, "result": []}]
        tasks.append({"data": {ID: row, **content}, "predictions": predictions})
    return tasks


def label_studio_config(classes, fields=("text",), *, label=LABEL):
    """The labelling interface for a project of `LabelingSession.export_label_studio`.

    Parameters
    ----------
    classes : list
        The classes, shown as text.

    fields : list of str, default=("text",)
        Names in the tasks' data to show. ``image``, ``audio``, ``video`` and ``html``
        are shown as such, all others as text.

    label : str, default="label"
        Name of the control that takes the answer.

    Returns
    -------
    xml : str
        To paste as code under Settings, Labeling Interface.

    Raises
    ------
    ValueError
        If two classes look the same as text, or there is nothing to show.

    Examples
    --------
    >>> from skbadge.labeling import label_studio_config
    >>> print(label_studio_config(["ham", "spam & eggs"]))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="label" toName="text" choice="single">
        <Choice value="ham"/>
        <Choice value="spam &amp; eggs"/>
      </Choices>
    </View>
    """
    names = [str(c) for c in classes]
    if len(set(names)) < len(names) or not names or not fields:
        raise ValueError(
            "`classes` and `fields` must not be empty, and classes must differ as "
            f"text. Got {names} and {list(fields)}."
        )
    shown = [
        f"  <{_TAGS.get(name, 'Text')} name={_quoted(name)} "
        f"value={_quoted('$' + name)}/>"
        for name in fields
    ]
    choices = [f"    <Choice value={_quoted(name)}/>" for name in names]
    control = (
        f'  <Choices name={_quoted(label)} toName={_quoted(fields[0])} choice="single">'
    )
    return "\n".join(["<View>", *shown, control, *choices, "  </Choices>", "</View>"])


def _quoted(text):
    return f'"{escape(text, _IN_ATTRIBUTES)}"'


def is_tasks_file(path):
    """Whether a file has tasks of `tasks_for` only, without annotations."""
    try:
        tasks = _load(path)
    except (OSError, ValueError):
        return False
    return all(
        isinstance(task, dict)
        and task.keys() == {"data", "predictions"}
        and isinstance(task["data"], dict)
        and ID in task["data"]
        and isinstance(task["predictions"], list)
        and len(task["predictions"]) == 1
        and [each.get("model_version") for each in _dicts(task["predictions"])]
        == [MODEL]
        for task in tasks
    )


def read_label_studio(path, label=None, annotators=None):
    """Answers in a file that Label Studio has exported as JSON or JSON_MIN.

    Parameters
    ----------
    path : path-like
        One file. A single task, as storages keep them, is taken as well.

    label : str or None, default=None
        Name of the control; None for the only one of JSON, and "label" of JSON_MIN.

    annotators : dict or None, default=None
        Names by Label Studio's user ids or addresses.

    Returns
    -------
    answers : list of Answer
        With id and label as they stand in the file. Predictions and drafts are none.

    refused : list of Problem
        What is there and is no single answer to a row of ours.

    Raises
    ------
    ValueError
        If the file is not whole, or is no export.
    """
    items = _load(path)
    label = _control(items) if label is None else label
    answers, refused = [], []
    for place, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            _refuse(refused, f"item {place}", None, "this is no task")
            continue
        read = _answers_of_task if _is_task(item) else _answer_of_flat
        read(item, place, label, annotators or {}, answers, refused)
    return answers, refused


def _load(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            items = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{str(path)!r} is no whole JSON file, and nothing of it was imported: "
            f"{error}. Export it again, as JSON or JSON-MIN."
        ) from error
    items = [items] if isinstance(items, dict) else items
    if not isinstance(items, list):
        raise ValueError(
            f"{str(path)!r} must hold a list of tasks, as Label Studio exports it as "
            f"JSON or JSON-MIN. Got {type(items).__name__}."
        )
    return items


def _is_task(item):
    return isinstance(item.get("data"), dict)


def _annotations(task):
    # Older exports call them completions.
    return _dicts(task.get("annotations", task.get("completions")))


def _results(annotation):
    return _dicts(annotation.get("result"))


def _dicts(found):
    found = found if isinstance(found, list) else []
    return [each for each in found if isinstance(each, dict)]


def _control(items):
    """The name of the only control with a single answer."""
    names = {
        str(result.get("from_name"))
        for item in items
        if isinstance(item, dict) and _is_task(item)
        for annotation in _annotations(item)
        for result in _results(annotation)
        if result.get("type") in _VALUES
    }
    if len(names) > 1:
        raise ValueError(
            "`label` must name the control whose answers to import. The file has "
            f"{', '.join(sorted(names))}."
        )
    return names.pop() if names else LABEL


def _answers_of_task(task, place, label, names, answers, refused):
    """Read one task of an export as JSON, with all its annotations."""
    row = task["data"].get(ID)
    for annotation in _annotations(task):
        where = f"annotation {annotation.get('id')} of task {task.get('id', place)}"
        values = [
            result.get("value")
            for result in _results(annotation)
            if result.get("from_name") == label and result.get("type") in _VALUES
        ]
        is_skip = annotation.get("was_cancelled") or annotation.get("skipped")
        given = None if is_skip else _single(values)
        who = _person(annotation.get("completed_by"), names)
        source = _source(annotation.get("id"), annotation)
        found = Answer(where, row, given, who, *source)
        _add(found, values, is_skip, answers, refused)


def _answer_of_flat(record, place, label, names, answers, refused):
    """Read one annotation of an export as JSON_MIN, which has no skipped ones."""
    annotation = record.get("annotation_id")
    if annotation is None and "annotator" not in record:
        return _refuse(
            refused, f"item {place}", record.get(ID), "this is no annotation"
        )
    where = f"annotation {annotation} of task {record.get('id', place)}"
    values = record.get(label)
    values = [] if values is None else values if isinstance(values, list) else [values]
    who = _person(record.get("annotator"), names)
    found = Answer(
        where, record.get(ID), _single(values), who, *_source(annotation, record)
    )
    return _add(found, values, False, answers, refused)


def _single(values):
    """The answer if there is exactly one, else None."""
    if len(values) != 1:
        return None
    value = values[0]
    if isinstance(value, dict):
        kinds = [kind for kind in _VALUES if kind in value]
        value = value[kinds[0]] if len(kinds) == 1 else None
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    return value if isinstance(value, str | int | float) else None


def _add(answer, values, is_skip, answers, refused):
    if answer.id is None:
        reason = f"the task has no {ID!r} in its data"
    elif is_skip or answer.label is not None:
        answers.append(answer)
        return
    else:
        reason = "this is not one answer" if values else "there is no answer"
    label = values[0] if len(values) == 1 else values or None
    _refuse(refused, answer.where, answer.id, reason, answer.annotator, label)


def _refuse(refused, where, row, reason, annotator=None, label=None):
    refused.append(Problem(where, row, annotator, label, None, reason))


def _person(completed_by, names):
    """A name for who answered, the same for both kinds of exports."""
    who = completed_by if isinstance(completed_by, dict) else {"id": completed_by}
    found = [who.get(key) for key in ("id", "email")]
    known = [each for each in found if isinstance(each, str | int)]
    for each in known:
        if each in names:
            return str(names[each])
    if not known:
        return UNKNOWN
    return known[0] if isinstance(known[0], str) else f"{UNKNOWN}:{known[0]}"


def _source(annotation, times):
    """What names an annotation, on any server, and when it was last changed."""
    created, updated = times.get("created_at"), times.get("updated_at")
    if annotation is None:
        return "", ""
    # Half a surrogate pair is no text for a file.
    return tuple(
        text.encode(errors="backslashreplace").decode()
        for text in (f"{UNKNOWN}:{annotation}:{created}", str(updated or created or ""))
    )
