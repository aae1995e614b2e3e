"""Files that are written as a whole or not at all, and tables as CSV files."""

import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from skbadge.experiment.store import is_beside_a_store
from skbadge.utils._optional import import_optional


def write_csv(frame, path, *, replaces=None):
    """Write a table, with nothing in it that a spreadsheet takes for a formula.

    Text that begins like a formula gets an apostrophe before it, which `read_results`
    takes away, and the index is left out. A file that is there already must have the
    columns of ``replaces``, unless that is None, or is a FileExistsError.
    """
    if replaces is not None and not _may_be_replaced(Path(path), list(replaces)):
        raise FileExistsError(
            f"{str(path)!r} is there already and is no earlier export. It was left as "
            "it is: choose another name, or delete it."
        )
    texts = frame.select_dtypes(["object", "string", "category"])
    safe = {name: column.map(_without_formula) for name, column in texts.items()}
    with written(path) as place:
        frame.assign(**safe).to_csv(place, index=False)


@contextmanager
def written(path):
    """Where to write a file, which is moved to its place once it is whole.

    The suffix is that of the file. What is no regular file, such as a pipe, is written
    to directly.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        yield path
        return
    target = Path(os.path.realpath(path))
    place = target.with_name(f".{uuid4().hex}{target.suffix}")
    try:
        yield place
        os.replace(place, target)
    except OSError as error:
        # A full disk does not say which file was too much for it.
        if error.errno and str(error.filename) in ("None", str(place)):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            place.unlink()


def _without_formula(value):
    is_formula = isinstance(value, str) and re.match(r"'*[=+\-@\t\r]", value)
    return f"'{value}" if is_formula else value


def _may_be_replaced(path, columns):
    """Whether a file is none, empty, no file such as a pipe, or has these columns."""
    if is_beside_a_store(path):
        return False
    if not path.is_file() or not path.stat().st_size:
        return True
    pd = import_optional("pandas", extra="examples", purpose="A CSV file")
    try:
        return list(pd.read_csv(path, nrows=0)) == columns
    except Exception:
        # Other files make errors of many types.
        return False
