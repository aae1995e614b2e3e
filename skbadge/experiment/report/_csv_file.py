"""Tables as CSV files, which replace nothing but earlier ones."""

from skbadge.utils._optional import import_optional


def write_csv(frame, path, *, replaces=None):
    """Write a table, with nothing in it that a spreadsheet takes for a formula.
    Text that begins like a formula gets an apostrophe before it, and the index is left
    out. A file that is there already must have the columns of ``replaces``, unless that
    is None, or is a FileExistsError.
    """
    if replaces is not None and not _may_be_replaced(path, list(replaces)):
        raise FileExistsError(
            f"{str(path)!r} is there already and is no earlier export. It was left as "
            "it is: choose another name, or delete it."
        )
    texts = frame.select_dtypes(["object", "string", "category"])
    safe = {name: column.map(_without_formula) for name, column in texts.items()}
    frame.assign(**safe).to_csv(path, index=False)


def _without_formula(value):
    is_formula = isinstance(value, str) and value.startswith(tuple("=+-@\t\r"))
    return f"'{value}" if is_formula else value


def _may_be_replaced(path, columns):
    """Whether a file is none, empty, no file such as a pipe, or has these columns."""
    if not path.is_file() or not path.stat().st_size:
        return True
    pd = import_optional("pandas", extra="examples", purpose="A CSV file")
    try:
        return list(pd.read_csv(path, nrows=0)) == columns
    except Exception:
        # Other files make errors of many types.
        return False
