"""Files that are written as a whole or not at all, over nothing of others, and read."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


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


@contextmanager
def damage_refused(path):
    """Make one ValueError, which names the file, of all that a damaged one raises.

    What unpacks or parses a file raises errors of many types. Those of the system, as
    of a file that is not there, are left as they are.
    """
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{str(path)!r} cannot be read: {reason}") from error


def check_replaceable(path, is_ours, overwrite):
    """Refuse to write to a file that is there, unless it is an earlier one of ours.

    Parameters
    ----------
    path : path-like
        The file to be written.

    is_ours : callable
        Whether the file's content is ours, and nobody has added to it.

    overwrite : bool
        Whether one of ours may be replaced.

    Raises
    ------
    FileExistsError
        If it may not.
    FileNotFoundError
        If there is no such folder.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{str(path)!r} cannot be written: there is no folder {str(folder)!r}."
        )
    if not os.path.lexists(path) or not (Path(path).is_file() or Path(path).is_dir()):
        return
    if not overwrite:
        raise FileExistsError(
            f"{str(path)!r} is there already. It was left as it is: choose another "
            "name, or pass `overwrite=True`."
        )
    if not Path(path).is_file() or not is_ours(path):
        raise FileExistsError(
            f"{str(path)!r} is there already, and it is no earlier export, or has "
            "answers in it. It was left as it is: choose another name, or delete it."
        )
