"""Tables of rows with a column for the label, made, written and read."""

import csv

import numpy as np

from skbadge.labeling.files._fields import ID, check_free
from skbadge.labeling.files._imported import Answer, Problem
from skbadge.utils._formulas import with_formula, write_safe_csv
from skbadge.utils._optional import import_optional
from skbadge.utils._validation import is_missing
from skbadge.utils._whole_file import written

RANK = "skbadge_rank"
ANNOTATOR = "annotator"
# Of what a table has instead, errors show so much.
_MAX_COLUMNS, _MAX_CHARACTERS = 20, 40
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def table_for(ids, contents, label, annotator=None):
    """A frame with the columns of ids, labels and ranks, and the rows' content.

    Raises
    ------
    ValueError
        If the content has a column of one of these names.
    """
    pd = import_optional("pandas", extra="labeling", purpose="A table of rows")
    check_free((ID, label, RANK, ANNOTATOR), contents, label)
    head = {ID: ids, label: [""] * len(ids), RANK: range(len(ids))}
    if annotator is not None:
        head[ANNOTATOR] = [annotator] * len(ids)
    return pd.DataFrame(head).join(pd.DataFrame(contents))


def write_table(frame, path):
    """Write a table as CSV that a spreadsheet opens as text, with no formulas."""
    # Excel takes a file for UTF-8 if it begins with a mark.
    with written(path) as place:
        write_safe_csv(frame, place, encoding="utf-8-sig")


def is_empty_table(path, label):
    """Whether a file is one of `write_table` that nobody has filled in."""
    try:
        answers, refused = read_table(path, label)
    except (OSError, ValueError):
        return False
    return not answers and not refused


def read_table(path, label):
    """Answers in a CSV file, see `answers_in`; separators and encoding are found out.

    Raises
    ------
    ValueError
        If the file is not whole, or lacks a column.
    """
    encoding = _encoding(path)
    pd = import_optional("pandas", extra="labeling", purpose="A table of answers")
    try:
        separator, n_before = _separator(path, encoding)
        cells = pd.read_csv(
            path,
            header=None,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            sep=separator,
            encoding=encoding,
            skiprows=n_before,
            skip_blank_lines=False,
        )
    except UnicodeError as error:
        raise ValueError(
            f"{str(path)!r} must be a text, encoded as UTF-8: {error}. Workbooks and "
            'other encodings are not read. In Excel, save it as "CSV UTF-8". Nothing '
            "was imported."
        ) from error
    except (ValueError, csv.Error) as error:
        raise ValueError(
            f"{str(path)!r} is no whole CSV file, and nothing of it was imported: "
            f"{' '.join(str(error).split())}"
        ) from error
    names = [with_formula(name.strip()) for name in cells.iloc[0]]
    answers = cells.iloc[1:].map(with_formula).set_axis(names, axis=1)
    return answers_in(answers, label, repr(str(path)))


def answers_in(frame, label, name="`frame`"):
    """Answers in the columns of a table.

    Parameters
    ----------
    frame : DataFrame
        Of these, only those of ids, labels and, if there is one, annotators are read.

    label : str
        Name of the column of labels.

    name : str, default="`frame`"
        What errors call the table.

    Returns
    -------
    answers : list of Answer
        Of the rows with a label. Their places are the numbers of the rows, where the
        names of the columns are row 1.

    refused : list of Problem
        Labels without an id.
    """
    names = list(frame.columns)
    for each in (ID, label, ANNOTATOR):
        if names.count(each) > 1:
            raise ValueError(f"{name} has two columns named {each!r}.")
    missing = [each for each in (ID, label) if each not in names]
    if missing:
        found = [str(each)[:_MAX_CHARACTERS] for each in names[:_MAX_COLUMNS]]
        raise ValueError(
            f"{name} must have the columns {ID!r} and {label!r}, as exports have. "
            f"Got only {', '.join(found) or 'none'}. Another name of the column of "
            "labels can be given as `label`."
        )
    ids, labels = map(_values, (frame[ID], frame[label]))
    people = _values(frame[ANNOTATOR]) if ANNOTATOR in names else [None] * len(ids)
    answers, refused = [], []
    for row, (key, given, who) in enumerate(zip(ids, labels, people, strict=True), 2):
        if given is None:
            continue
        who = None if who is None else str(who)
        if key is None:
            refused.append(
                Problem(f"row {row}", None, who, given, None, "there is no id")
            )
        else:
            answers.append(Answer(f"row {row}", key, given, who))
    return answers, refused


def _values(column):
    """Python's own values, and None for what is blank."""
    return [_value(cell) for cell in column]


def _value(cell):
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, str):
        return cell if cell.strip() else None
    if isinstance(cell, np.ndarray):
        return cell
    return None if is_missing(cell) else cell


def _encoding(path):
    with open(path, "rb") as file:
        beginning = file.read(3)
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return encoding
    return "utf-8"


def _separator(path, encoding):
    """What separates cells, and how many lines come before the names of the columns."""
    with open(path, encoding=encoding, newline="") as file:
        beginning = file.read(100_000)
    # Excel may say it in a line of its own.
    n_before = int(beginning.startswith("sep="))
    lines = beginning.splitlines(keepends=True)[n_before:]
    for separator in ",;\t":
        names = next(csv.reader(lines, delimiter=separator), [])
        if ID in [name.strip() for name in names]:
            return separator, n_before
    return ",", n_before
