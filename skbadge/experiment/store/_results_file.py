"""ResultsFile: evaluations of finished runs, to be kept in a repository."""

import csv
import gzip
import os
import re
import tempfile
import warnings
import zlib
from contextlib import suppress
from math import inf
from pathlib import Path

from skbadge.exceptions import QueryWarning
from skbadge.experiment.store._configuration import config_hash, short_hash
from skbadge.experiment.store._result import COLUMNS
from skbadge.inspection._frame import TIMES
from skbadge.utils._database import is_beside_a_store
from skbadge.utils._formulas import with_formula, without_formula
from skbadge.utils._whole_file import written

# After what functions of results read: which run a row is of, by the beginning of the
# hash of its configuration; the digest of the rows and targets that it was made on; and
# how many rows it has in all, for a row that was lost to be missed.
_COLUMNS = (*COLUMNS, "run", "data", "run_rows")
_LABELS = COLUMNS[:5]
_COUNTS = ("n_query", "repeat", "n_labeled", "run_rows")
_COUNT = re.compile("[0-9]{1,18}")  # of no more digits than a store can hold
# Times differ from one repetition to the next.
_MEASURED = COLUMNS.index("fit_time")
_N_LABELED, _METRIC = COLUMNS.index("n_labeled"), COLUMNS.index("metric")
_RUN, _DATA, _N_ROWS = range(len(COLUMNS), len(_COLUMNS))


class ResultsFile:
    """Evaluations of finished runs of one benchmark, in a small compressed CSV file.

    Equal results give equal bytes, for the file to be committed: rows are in the order
    of the benchmark, scores have 6 significant digits and times 3.

    Parameters
    ----------
    path : path-like
        Ends in ``.csv.gz``; made when there is something to write.

    configs : list of dict
        The runs of the benchmark.

    drop_stale : bool, default=False
        Whether to leave out rows of other runs when the file is written.

    Raises
    ------
    OSError
        If it cannot be read, or could not be written.

    ValueError
        If there is something else, or it was damaged.
    """

    def __init__(self, path, configs, *, drop_stale=False):
        self.path = Path(path)
        hashes = [config_hash(config) for config in configs]
        self._hashes = {short_hash(each): each for each in hashes}
        self._configs = dict(zip(self._hashes, configs, strict=True))
        self._drop_stale = drop_stale
        _check_place(self.path)
        self._rows = rows = self._read()
        stale = [run for run in rows if run not in self._configs]
        n_stale = sum(len(rows[run]) for run in stale)
        if stale and len(stale) == len(rows):
            raise ValueError(
                f"None of the {n_stale} rows of {str(self.path)!r} is of a run of this "
                "benchmark. It was left as it is: if settings of all runs have "
                "changed, delete it or choose another name."
            )
        if stale and not drop_stale:
            self._warn(
                f"{n_stale} rows are of {len(stale)} runs that the benchmark does not "
                "have: settings have changed, perhaps. They are kept; drop_stale=True "
                "(--drop-stale) leaves them out"
            )

    def fill(self, store):
        """Put runs that are whole in the file, and not done in a store, there as done.

        Raises
        ------
        ValueError
            If file and store have results of other rows or targets of a data set.
        """
        rows = {run: of for run, of in self._rows.items() if run in self._configs}
        whole = {run: of for run, of in rows.items() if _is_whole(of)}
        if len(whole) < len(rows):
            self._warn(
                f"{len(rows) - len(whole)} runs lack some of their rows, and are not "
                "taken from it"
            )
        store.put_done(
            {self._hashes[run]: _evaluations(of) for run, of in whole.items()},
            {self._hashes[run]: of[0][_DATA] or None for run, of in whole.items()},
            self.path.name,
        )
        stored = self._stored(store)
        # Those under way elsewhere are not done there.
        others = [run for run in whole if run in stored]
        others = [run for run in others if _scores(whole[run]) != _scores(stored[run])]
        if others:
            self._warn(
                f"{len(others)} runs have other scores in the store, the first of them "
                f"{', '.join(whole[others[0]][0][: len(_LABELS)])}. File and store "
                "keep theirs"
            )

    def write(self, store):
        """Write the file with what is done in a store, and what it has already.

        A run that is whole in the file keeps its rows there as they are. What another
        process has written there meanwhile is kept.

        Raises
        ------
        OSError
            If that fails. The file is then as it was.
        """
        try:
            stored = self._stored(store)
            while True:
                before, rows = _identity(self.path), self._read()
                kept = self._merged(rows, stored)
                if list(kept.items()) == list(rows.items()):
                    return
                with suppress(_ChangedError):
                    self._replace(_packed(kept), before)
                    return
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise OSError(
                f"{str(self.path)!r} was not written: {reason}. All results are in the "
                f"store {str(store.path)!r}: do the same again to write it."
            ) from error

    def _replace(self, content, before):
        with written(self.path) as place:
            place.write_bytes(content)
            if _identity(self.path) != before:
                raise _ChangedError

    def _merged(self, rows, stored):
        """Rows of the file and of what is done, by run, as the benchmark has them."""
        kept = {}
        for run in self._configs:
            if run in stored and not (run in rows and _is_whole(rows[run])):
                kept[run] = stored[run]
            elif run in rows:
                kept[run] = rows[run]
        if self._drop_stale:
            return kept
        return kept | {run: of for run, of in rows.items() if run not in kept}

    def _stored(self, store):
        """Rows of the file for the runs that are done in a store, by run."""
        rows = {}
        for run_hash, data, *evaluation in store.done_rows(self._hashes.values()):
            run = short_hash(run_hash)
            cells = [*map(_as_text, COLUMNS, evaluation), run, data or ""]
            rows.setdefault(run, []).append(cells)
        return {run: [[*row, str(len(of))] for row in of] for run, of in rows.items()}

    def _read(self):
        """Rows of the file by run, checked, as lists of text."""
        if not self.path.exists() or not self.path.stat().st_size:
            return {}
        rows = {}
        try:
            with gzip.open(self.path, "rt", encoding="utf-8", newline="") as file:
                lines = csv.reader(file, strict=True)
                if next(lines, None) != list(_COLUMNS):
                    raise ValueError("it has other columns")
                for row in lines:
                    self._check_row(row)
                    rows.setdefault(row[_RUN], []).append(row)
            _check_runs(rows)
        except (EOFError, gzip.BadGzipFile, zlib.error, csv.Error, ValueError) as error:
            raise ValueError(
                f"{str(self.path)!r} is no file of results, or was damaged: {error}. "
                "It was left as it is: put back the file as it was, or delete it."
            ) from error
        return rows

    def _check_row(self, row):
        if len(row) != len(_COLUMNS):
            raise ValueError(f"a row has {len(row)} cells in place of {len(_COLUMNS)}")
        for name, text in zip(_COLUMNS, row, strict=True):
            if name in _COUNTS and not _COUNT.fullmatch(text):
                raise ValueError(f"{name} must be a whole number, and is {text!r}")
            if name == "score" and text:
                float(text)
            if name in TIMES and not 0 <= float(text) < inf:
                raise ValueError(f"{name} must be seconds, and is {text!r}")
        config = self._configs.get(row[_RUN])
        if config is not None:
            labels = [_as_text(name, config[name]) for name in _LABELS]
            if labels != row[: len(labels)]:
                raise ValueError(
                    f"the run {row[_RUN]} is {', '.join(labels)} and no other"
                )

    def _warn(self, message):
        # Past this method, that of the file, `run_benchmark` and its caller's line.
        warnings.warn(f"{str(self.path)!r}: {message}.", QueryWarning, stacklevel=4)


class _ChangedError(Exception):
    """Somebody else has written the file meanwhile."""


def _check_place(path):
    """Raise if no file of results can be written there."""
    if not path.name.endswith(".csv.gz"):
        raise ValueError(f"`results` must end in .csv.gz. Got {str(path)!r}.")
    target = Path(os.path.realpath(path))
    if is_beside_a_store(target) or (target.exists() and not target.is_file()):
        raise ValueError(f"`results` must be a file of its own. Got {str(path)!r}.")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"The file of results {str(path)!r} is not writable.")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise type(error)(
            f"The file of results {str(path)!r} could not be written: {error.strerror}."
        ) from error


def _identity(path):
    """What changes when a file is replaced."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _check_runs(rows):
    for run, of in rows.items():
        if len({(row[_DATA], row[_N_ROWS]) for row in of}) > 1:
            raise ValueError(f"rows of the run {run} contradict each other")
        if len({(row[_N_LABELED], row[_METRIC]) for row in of}) < len(of):
            raise ValueError(f"rows of the run {run} are there twice")


def _is_whole(rows):
    return len(rows) == int(rows[0][_N_ROWS])


def _scores(rows):
    return sorted(row[:_MEASURED] for row in rows)


def _evaluations(rows):
    """Rows of a run as those of a store: n_labeled, metric, round, score, times."""
    n_labeled = sorted({int(row[_N_LABELED]) for row in rows})
    rounds = {n: i for i, n in enumerate(n_labeled)}
    found = []
    for row in rows:
        n, metric = int(row[_N_LABELED]), with_formula(row[_METRIC])
        score, *times = row[_METRIC + 1 : len(COLUMNS)]
        score = float(score) if score else None
        found.append((n, metric, rounds[n], score, *map(float, times)))
    return found


def _as_text(name, value):
    """A cell, which a spreadsheet takes for no formula."""
    if value is None:
        return ""
    if name == "score":
        return f"{value:.6g}"
    return f"{value:.3g}" if name in TIMES else str(without_formula(value))


def _packed(rows):
    """The file, the same at any time and by any name."""
    lines = [_COLUMNS, *(row for of in rows.values() for row in of)]
    text = "".join(",".join(map(_quoted, line)) + "\n" for line in lines)
    return gzip.compress(text.encode(), mtime=0)


def _quoted(cell):
    # Before Python 3.13, the module csv writes carriage returns that it does not read.
    if any(mark in cell for mark in '",\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
