"""The command `skbadge`: benchmarks are run and reported on, and labels are read."""

import argparse
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from pickle import PicklingError

from skbadge._version import __version__
from skbadge.experiment import Benchmark, ResultStore, run_benchmark, write_report
from skbadge.experiment.report import write_csv
from skbadge.experiment.store import COLUMNS, StoreError, config_hash
from skbadge.labeling import read_labels, read_progress

# Errors in what a command is given. All others are bugs of ours.
_ERRORS = (
    OSError,
    TypeError,
    ValueError,
    ImportError,
    MemoryError,
    RecursionError,
    sqlite3.Error,
    BrokenProcessPool,
    PicklingError,
)


class Terminated(KeyboardInterrupt):
    """SIGTERM, as what stops joblib's workers too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit status.

    Parameters
    ----------
    arguments : list of str or None, default=None
        Of the command line; None for those of this process.

    Returns
    -------
    status : int
        0 if all is well, 1 if runs failed, 2 if the command cannot be carried out, 130
        if it was interrupted and 143 if it was terminated.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # Names may have characters that the terminal has not.
        sys.stdout.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    try:
        with _terminated_like_interrupted():
            return parsed.command(parsed)
    except KeyboardInterrupt as stopped:
        print("Interrupted. Run the same command to go on.", file=sys.stderr)
        return 143 if isinstance(stopped, Terminated) else 130
    except _ERRORS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


@contextmanager
def _terminated_like_interrupted():
    """Let SIGTERM end a command as Ctrl-C does, and so its workers with it."""

    def stop(number, frame):
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        # Only there may handlers be set.
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser():
    parser = argparse.ArgumentParser(prog="skbadge", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="do the runs of a benchmark not done yet")
    run.add_argument("file", type=Path, help="the benchmark, a TOML file")
    run.add_argument(
        "--store", type=Path, help="SQLite file for results [FILE with suffix .sqlite]"
    )
    run.add_argument(
        "--results",
        type=Path,
        metavar="CSV",
        help="file to commit (.csv.gz): runs in it are not run again, and all that are "
        "done are written to it at the end",
    )
    run.add_argument(
        "--drop-stale",
        action="store_true",
        help="leave runs that FILE does not have out of the file of results",
    )
    run.add_argument("--n-jobs", type=int, default=1, help="runs at a time [1]")
    run.add_argument("--retry-failed", action="store_true", help="try those again")
    run.add_argument("--quiet", action="store_true", help="no progress bar")
    run.set_defaults(command=_run)
    report = commands.add_parser("report", help="write a page of tables and pictures")
    report.add_argument("sources", nargs="+", type=Path, help="stores and CSV files")
    report.add_argument("--out", type=Path, required=True, help="folder to write to")
    report.add_argument("--baseline", help="strategy to compare with [random]")
    report.add_argument(
        "--only", type=Path, metavar="FILE", help="runs of this TOML file alone"
    )
    report.set_defaults(command=_report)
    status = commands.add_parser("status", help="count runs, and list failures")
    status.add_argument("store", type=Path)
    status.set_defaults(command=_status)
    export = commands.add_parser("export", help="write all evaluations to a CSV file")
    export.add_argument("store", type=Path)
    export.add_argument("csv", type=Path)
    export.set_defaults(command=_export)
    labels = commands.add_parser("labels", help="sum up, or write, what was labelled")
    labels.add_argument("file", type=Path, help="the file of a labelling session")
    labels.add_argument("--csv", type=Path, metavar="OUT", help="CSV file to write")
    labels.add_argument(
        "--resolution",
        default="latest",
        help="which of several answers counts: latest, majority or refuse [latest]",
    )
    labels.set_defaults(command=_labels)
    return parser


def _run(arguments):
    store = arguments.store or arguments.file.with_suffix(".sqlite")
    result = run_benchmark(
        arguments.file,
        store,
        results=arguments.results,
        drop_stale=arguments.drop_stale,
        n_jobs=arguments.n_jobs,
        retry_failed=arguments.retry_failed,
        verbose=0 if arguments.quiet else 1,
    )
    print(result)
    with ResultStore(result.path, create=False) as opened:
        _print_failures(opened.failures(result.hashes))
    return 1 if result.counts["failed"] else 0


def _report(arguments):
    hashes = None
    if arguments.only is not None:
        configs = Benchmark.from_toml(arguments.only).configs()
        hashes = [config_hash(config) for config in configs]
    path = write_report(
        arguments.sources, arguments.out, baseline=arguments.baseline, hashes=hashes
    )
    for page in (path, path.with_suffix(".html")):
        print(page)
    return 0


def _status(arguments):
    # To read, there is no need to wait long for processes that write.
    with ResultStore(arguments.store, create=False, timeout=5.0) as store:
        store.check()
        with suppress(StoreError):
            store.tidy()
        for status, count in store.counts().items():
            print(f"{status:8} {count}")
        _print_failures(store.failures())
    return 0


def _export(arguments):
    with ResultStore(arguments.store, create=False) as store:
        store.check()
        frame = store.to_frame()
    write_csv(frame, arguments.csv, replaces=COLUMNS)
    print(f"{len(frame)} evaluations: {arguments.csv}")
    return 0


def _labels(arguments):
    if arguments.csv is None:
        print(read_progress(arguments.file, resolution=arguments.resolution))
        return 0
    labels = read_labels(arguments.file, resolution=arguments.resolution).reset_index()
    write_csv(labels, arguments.csv, replaces=labels.columns)
    print(f"{len(labels)} labelled rows: {arguments.csv}")
    return 0


def _print_failures(failures):
    """One line for each error, for it may be that of a whole data set or model."""
    alike = {}
    for row in failures:
        alike.setdefault((row["error_type"], row["error_message"]), []).append(row)
    for (kind, message), runs in alike.items():
        which = "{dataset}, {model}, {strategy}, n_query {n_query}, repeat {repeat}"
        which = which.format_map(runs[0])
        if len(runs) > 1:
            which = f"{len(runs)} runs, the first of them {which}"
        print(f"failed: {' '.join(f'{which}: {kind}: {message}'.split())}")


if __name__ == "__main__":
    sys.exit(main())
