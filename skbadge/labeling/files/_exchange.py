"""FileExchange: a session's rows go out as files and frames, and answers come back."""

import json
from contextlib import contextmanager
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from skbadge.labeling._arguments import check_annotator, check_people
from skbadge.labeling.files._fields import LABEL, fields_of
from skbadge.labeling.files._imported import Imported
from skbadge.labeling.files._label_studio import (
    UNKNOWN,
    is_tasks_file,
    read_label_studio,
    tasks_for,
)
from skbadge.labeling.files._tables import (
    answers_in,
    is_empty_table,
    read_table,
    table_for,
    write_table,
)
from skbadge.labeling.files._taking_in import take_in
from skbadge.labeling.ledger._scalars import as_text
from skbadge.labeling.rounds._task import Task
from skbadge.utils._shown import shown
from skbadge.utils._whole_file import check_replaceable, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

OnConflict: TypeAlias = Literal["list", "correct"]
# Whom rows are with that went out in a table, and who filled it in if nobody is named.
TABLE = "table"


class FileExchange:
    """What `LabelingSession` does with files and frames."""

    def export_label_studio(
        self,
        path: str | PathLike,
        n: int = 100,
        *,
        render: "Callable | None" = None,
        label: str = LABEL,
        annotator: str = UNKNOWN,
        overwrite: bool = False,
    ) -> list[Task]:
        """Write the next rows as tasks to import into Label Studio.

        The rows are open with ``annotator`` from then on, as those of `next` are,
        unless this fails. A second call writes those again that have no answer yet;
        another name gets rows of its own. Tasks stand in the order of the picks. Each
        has a prediction without a label, whose score is greatest for the first pick:
        sort by it in descending order. (Label Studio's uncertainty sampling shows the
        lowest score first.)

        Parameters
        ----------
        path : path-like
            The file, JSON. It appears when it is whole.

        n : int, default=100
            Number of rows.

        render : callable or None, default=None
            Gives a dict, or a text, of what to show of a row, such as
            ``lambda row: {"image": address_of(row)}``. None is for rows of tables,
            texts and at most 50 numbers.

        label : str, default="label"
            Name of the control that takes the answer, see `label_studio_config`. The
            content must not have it.

        annotator : str, default="label-studio"
            With whom the rows are.

        overwrite : bool, default=False
            Whether an earlier export may be replaced. Other files never are.

        Returns
        -------
        tasks : list of Task
            What was written.

        Raises
        ------
        FileExistsError
            If there is a file, and it may not be replaced.
        FileNotFoundError
            If there is no such folder.
        """
        check_replaceable(path, is_tasks_file, overwrite)
        make = partial(tasks_for, label=label)
        with (
            _next(self, n, annotator, render, make) as (tasks, items),
            written(path) as place,
            open(place, "w", encoding="utf-8", newline="\n") as file,
        ):
            json.dump(items, file, ensure_ascii=False, indent=1)
        return tasks

    def import_label_studio(
        self,
        path: str | PathLike,
        *,
        label: str | None = None,
        annotators: "Mapping | None" = None,
        on_conflict: OnConflict = "list",
    ) -> Imported:
        """Take the answers of a file that Label Studio has exported.

        Both JSON and JSON-MIN will do; only JSON has the tasks that were skipped
        (cancelled). Answers are matched by the row's id. An annotation counts once,
        however often it is imported and from which of the two kinds. One that was
        changed in Label Studio since replaces what it said before. Several people's
        answers to one row are kept apart. Predictions and drafts are no answers.

        All answers are added to the ledger in one transaction, or none.

        Parameters
        ----------
        path : path-like
            The file.

        label : str or None, default=None
            Name of the control. None takes the only one of a file in JSON, and "label"
            in JSON-MIN.

        annotators : dict or None, default=None
            What to call people, by their ids or addresses in Label Studio. Others are
            called ``label-studio:ID``, or by their address.

        on_conflict : {"list", "correct"}, default="list"
            What to do where the same person has another answer in this session. They
            are listed, and nothing changes; or the file's counts.

        Returns
        -------
        imported : Imported
            What came of the answers, one by one where something was wrong.

        Raises
        ------
        ValueError
            If the file is not whole or is no export. Nothing was imported then.
        """
        check_people(annotators)
        answers, refused = read_label_studio(path, label, annotators)
        return take_in(self, answers, refused, UNKNOWN, on_conflict)

    def export_csv(
        self,
        path: str | PathLike,
        n: int = 100,
        *,
        render: "Callable | None" = None,
        label: str = LABEL,
        annotator: str | None = None,
        overwrite: bool = False,
    ) -> list[Task]:
        """Write the next rows as a table, to be filled in with a spreadsheet.

        As `export_frame`, as a CSV file in UTF-8 with the mark that Excel looks for.
        Text that a spreadsheet would take for a formula has an apostrophe before it,
        which `import_csv` takes away.

        Parameters
        ----------
        path : path-like
            The file. It appears when it is whole.

        n, render, label, annotator
            See `export_frame`.

        overwrite : bool, default=False
            Whether an earlier export may be replaced, if nobody has filled in
            anything. Other files never are.

        Returns
        -------
        tasks : list of Task
            What was written.

        Raises
        ------
        FileExistsError
            If there is a file, and it may not be replaced.
        FileNotFoundError
            If there is no such folder.
        """
        check_replaceable(path, lambda path: is_empty_table(path, label), overwrite)
        with _next_table(self, n, render, label, annotator) as (tasks, frame):
            write_table(frame, path)
        return tasks

    def import_csv(
        self,
        path: str | PathLike,
        *,
        label: str = LABEL,
        annotator: str | None = None,
        on_conflict: OnConflict = "list",
    ) -> Imported:
        """Take the answers of a CSV file that `export_csv` has begun.

        See `import_frame`. Commas, semicolons and tabs may separate cells, and the
        encoding is UTF-8, or UTF-16 with a mark, as spreadsheets save them.

        Parameters
        ----------
        path : path-like
            The file.

        label, annotator, on_conflict
            See `import_frame`.

        Returns
        -------
        imported : Imported
            What came of the answers, one by one where something was wrong.

        Raises
        ------
        ValueError
            If the file is not whole, or lacks a column. Nothing was imported then.
        """
        answers, refused = read_table(path, label)
        return _import_table(self, answers, refused, annotator, on_conflict)

    def export_frame(
        self,
        n: int = 100,
        *,
        render: "Callable | None" = None,
        label: str = LABEL,
        annotator: str | None = None,
    ) -> "pd.DataFrame":
        """The next rows as a table with an empty column for the label.

        The rows are open with ``annotator`` from then on, as those of `next` are,
        unless this fails. A second call returns those again that have no answer yet.

        Parameters
        ----------
        n : int, default=100
            Number of rows.

        render : callable or None, default=None
            Gives a dict, or a text, of what to show of a row. None is for rows of
            tables, texts and at most 50 numbers.

        label : str, default="label"
            Name of the column. The content must not have it.

        annotator : str or None, default=None
            With whom the rows are, which a column of the table then says; None calls
            them "table".

        Returns
        -------
        frame : DataFrame
            ``skbadge_id``, the label's column, ``skbadge_rank`` (0 for the first pick)
            and the content.
        """
        with _next_table(self, n, render, label, annotator) as (_, frame):
            return frame

    def import_frame(
        self,
        frame: Any,
        *,
        label: str = LABEL,
        annotator: str | None = None,
        on_conflict: OnConflict = "list",
    ) -> Imported:
        """Take the answers of a table, in any order of rows and columns.

        Blank labels are not answers. Ids and labels may have become text, or floats
        without a fraction; what could mean two things is refused. All answers are added
        to the ledger in one transaction, or none.

        Parameters
        ----------
        frame : DataFrame of pandas or polars
            With columns ``skbadge_id``, ``label`` and possibly ``annotator``. Others
            are not read.

        label : str, default="label"
            Name of the label's column.

        annotator : str or None, default=None
            Who answered, where the table does not say. If nobody does, an answer that
            differs from anybody's is a conflict.

        on_conflict : {"list", "correct"}, default="list"
            What to do where the same person has another answer in this session. They
            are listed, and nothing changes; or the table's counts.

        Returns
        -------
        imported : Imported
            What came of the answers, one by one where something was wrong.

        Raises
        ------
        ValueError
            If a column is missing.
        """
        if not hasattr(frame, "columns"):
            raise TypeError(
                "`frame` must be a data frame of pandas or polars. Got "
                f"{shown(frame)}. Files are read by `import_csv`."
            )
        answers, refused = answers_in(frame, label)
        return _import_table(self, answers, refused, annotator, on_conflict)


@contextmanager
def _next(session, n, annotator, render, make):
    """The next rows of somebody, and what is made of their ids and contents.

    The rows that were new to them are given back if that, or writing it, fails.
    """
    pool, desk, who = session._pool, session._desk, session._who(annotator)
    if pool.n_rows:
        # Of any row, so that most errors come before a query.
        make([0], [fields_of(*pool.rows([0]), render)])
    known = desk.open_with(who)
    tasks = session.next(n, annotator=annotator)
    ids = [task.id for task in tasks]
    try:
        yield tasks, make(ids, [fields_of(task.row, render) for task in tasks])
    except BaseException:
        desk.give_back(who, {as_text(id, "id") for id in ids}.difference(known))
        raise


def _next_table(session, n, render, label, annotator):
    make = partial(table_for, label=label, annotator=annotator)
    return _next(session, n, annotator or TABLE, render, make)


def _import_table(session, answers, refused, annotator, on_conflict):
    check_annotator(annotator)
    if annotator is not None:
        answers = [each.by(annotator) for each in answers]
    return take_in(session, answers, refused, TABLE, on_conflict)
