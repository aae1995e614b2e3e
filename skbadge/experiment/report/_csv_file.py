"""Tables as CSV files, which replace nothing but earlier ones."""

from pathlib import Path

from skbadge.experiment.store import is_beside_a_store
from skbadge.utils._formulas import write_safe_csv
from skbadge.utils._optional import import_optional
from skbadge.utils._whole_file import written


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
    with written(path) as place:
        write_safe_csv(frame, place)


def _may_be_replaced(path, columns):
    """Whether a file is none, empty, no file such as a pipe, or has these columns."""
    if is_beside_a_store(path):
        return False
    if not path.is_file() or not path.stat().st_size:
        return True
    pd = import_optional("pandas", extra="plot", purpose="A CSV file")
    try:
        return list(pd.read_csv(path, nrows=0)) == columns
    except Exception:
        # Other files make errors of many types.
        return False
