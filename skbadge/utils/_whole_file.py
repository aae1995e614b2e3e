"""Files that are written as a whole or not at all."""

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
