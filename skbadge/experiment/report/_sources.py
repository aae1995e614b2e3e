"""What a report is made from: stores, CSV files and frames, put together."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from skbadge.experiment.store import STATUSES, ResultStore, canonical, short_hash
from skbadge.inspection._frame import KEY, load, read_results
from skbadge.utils._optional import import_optional

_RUN = ["dataset", "model", "strategy", "n_query", "repeat"]
_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, eq=False)
class Results:
    """Evaluations of all sources, and what is known of their runs.

    Parameters
    ----------
    frame : DataFrame or None
        Evaluations as `read_results` returns them; None if there are none at all.

    sources : DataFrame
        ``source``, ``evaluations`` and the number of runs by status, NaN where the
        source does not say.

    failures : DataFrame
        Failed runs with their ``error``.

    versions : DataFrame
        ``package``, ``version`` and the number of ``runs`` done with it.
    """

    frame: object
    sources: object
    failures: object
    versions: object


def read_sources(sources, hashes=None):
    """Read results from all kinds of sources, see `write_report`, as `Results`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If two sources, or two declarations in one store, have results of the same run,
        or none has any of the ``hashes``.
    """
    pd = import_optional("pandas", extra="plot", purpose="A report")
    sources, hashes = _as_list(sources), None if hashes is None else list(hashes)
    if not sources:
        raise ValueError("`sources` must name at least one. Got none.")
    parts = [_read(source, hashes, i, pd) for i, source in enumerate(sources)]
    if hashes is not None and not any(
        len(frame) or (runs is not None and len(runs)) for _, frame, runs in parts
    ):
        raise ValueError(
            f"None of the {len(hashes)} runs chosen by `hashes` (--only FILE) is in "
            f"{', '.join(repr(name) for name, _, _ in parts)}. Were settings of the "
            "benchmark changed since it was run?"
        )
    frames = [read_results(frame) for _, frame, _ in parts if len(frame)]
    frame = pd.concat(frames, ignore_index=True) if frames else None
    rows, failures, versions = [], [], []
    for name, evaluations, runs in parts:
        rows.append({"source": name, "evaluations": len(evaluations)})
        if runs is not None:
            rows[-1] |= _counts(runs)
            failures += _failures(runs)
            versions += _versions(runs)
    if frame is not None:
        _check_unique(frame)
        frame = read_results(frame)
    return Results(
        frame,
        pd.DataFrame(rows, columns=["source", "evaluations", *STATUSES]),
        pd.DataFrame(failures, columns=[*_RUN, "error"]),
        _count_versions(versions, pd),
    )


def paths_of(sources):
    """Those of the sources that are files."""
    files = [each for each in _as_list(sources) if isinstance(each, str | os.PathLike)]
    return [Path(each) for each in files]


def _as_list(sources):
    return sources if isinstance(sources, list | tuple) else [sources]


def is_store(path):
    """Whether a file is an SQLite database."""
    with open(path, "rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _read(source, hashes, i, pd):
    """Name, evaluations and, if it says, runs of one source."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"There is no file {str(path)!r} to report on.")
        if not path.is_file():
            raise ValueError(
                f"`sources` must be stores or CSV files. {str(path)!r} is no file."
            )
        if is_store(path):
            with ResultStore(path, create=False) as store:
                return path.name, *_read_store(store, hashes)
        return path.name, _read_csv(path, hashes), None
    name = f"{type(source).__name__} {i}"
    if isinstance(source, pd.DataFrame):
        return name, source, None
    if not hasattr(source, "to_frame"):
        raise TypeError(
            "`sources` must be paths of stores or CSV files, data frames or objects "
            f"with `to_frame()`. Got {name.split()[0]} among them."
        )
    if isinstance(source, ResultStore):
        return name, *_read_store(source, hashes)
    if hasattr(source, "runs_frame"):
        return name, *_checked(source.to_frame(), source.runs_frame())
    if hasattr(source, "failures_frame"):
        failures = source.failures_frame()[[*_RUN, "error"]]
        return name, source.to_frame(), failures.assign(status="failed")
    return name, source.to_frame(), None


def _read_store(store, hashes):
    store.check()
    return _checked(store.to_frame(hashes), store.runs_frame(hashes))


def _checked(frame, runs):
    """Evaluations and runs of a store, if they make curves together."""
    _check_unique(frame)
    _check_same_data(runs)
    return frame, runs


def _read_csv(path, hashes):
    try:
        frame = load(path)
        if hashes is None or "run" not in frame.columns:
            return read_results(frame)
        frame = frame[frame["run"].isin(map(short_hash, hashes))]
        return read_results(frame) if len(frame) else frame
    except ValueError as error:
        raise ValueError(
            f"Cannot read {str(path)!r}: it is no result store, and as a CSV file: "
            f"{error}"
        ) from error


def _check_unique(frame):
    twice = frame.duplicated(KEY)
    if twice.any():
        row = frame.loc[twice.idxmax(), _RUN]
        raise ValueError(
            f"{twice.sum()} evaluations are there twice, the first of {row.to_dict()}. "
            "Either a source was given twice, or a store holds runs of several "
            "benchmarks that go by the same names: report on one of them (--only FILE, "
            "or pass the result of run_benchmark), or give them names that differ."
        )


def _check_same_data(runs):
    """Raise if runs of a store that name the same data set have seen several."""
    seen = {}
    for run in runs[runs["n_evaluations"] > 0].itertuples():
        description = json.loads(run.config).get("data_description")
        what = canonical([description, run.data])
        if seen.setdefault(run.dataset, what) != what:
            raise ValueError(
                f"Runs on {run.dataset!r} have seen different rows or targets, which "
                "make no curve together: report on one benchmark of the store (--only "
                "FILE, or pass the result of run_benchmark)."
            )


def _counts(runs):
    # All statuses are known only if there are runs that did not fail.
    known = STATUSES if "config" in runs.columns else ("failed",)
    return {status: int((runs["status"] == status).sum()) for status in known}


def _failures(runs):
    failed = runs[runs["status"] == "failed"]
    if "error" not in failed.columns:
        error = failed["error_type"] + ": " + failed["error_message"]
        failed = failed.assign(error=error)
    return failed[[*_RUN, "error"]].to_dict("records")


def _versions(runs):
    if "versions" not in runs.columns:
        return []
    return [json.loads(each) for each in runs["versions"].dropna()]


def _count_versions(versions, pd):
    rows = [item for each in versions for item in each.items()]
    table = pd.DataFrame(rows, columns=["package", "version"]).fillna("not installed")
    counts = table.value_counts(sort=False).rename("runs").reset_index()
    return counts.sort_values(["package", "version"], ignore_index=True)
