"""Where large arrays are put: in memory, or in files that nothing can leave behind."""

import errno
import mmap
import os
import tempfile
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf, prod
from weakref import finalize

import numpy as np
import psutil

from skbadge.utils._chunks import row_chunks
from skbadge.utils._memory import available_memory

# Smaller arrays, such as blocks of rows, stay in memory and do not count.
LEAST_SPILLED = 2**25

_IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Place:
    """Makes large arrays, in memory up to a limit and in files beyond it.

    A file has no name from the start: it ends with the array, or with the process,
    whatever happens to either.

    Parameters
    ----------
    folder : str, path-like or None, default=None
        Where the files are. None finds a folder for temporary ones that is on a disk.

    limit : float, default=inf
        Bytes to hold in memory.

    Attributes
    ----------
    nbytes_in_memory : int
        Size of the large arrays that are held in memory.

    nbytes_spilled : int
        Size of all files made so far.
    """

    def __init__(self, folder=None, limit=inf):
        self.folder = folder
        self.limit = limit
        self.nbytes_in_memory = 0
        self.nbytes_spilled = 0

    @classmethod
    def of(cls, storage):
        """The place that a parameter ``storage`` stands for."""
        check_storage(storage)
        if storage is None:
            return cls()
        if storage == "auto":
            return cls(limit=available_memory() / 2)
        return cls(storage, limit=0)

    def empty(self, shape, dtype):
        """An array with arbitrary entries, as `numpy.empty` makes it."""
        nbytes = prod(shape) * np.dtype(dtype).itemsize
        if nbytes < LEAST_SPILLED:
            return np.empty(shape, dtype)
        if self.nbytes_in_memory + nbytes <= self.limit:
            array = np.empty(shape, dtype)
            self.nbytes_in_memory += nbytes
            finalize(array, self._release, nbytes)
            return array
        buffer = _file_in(self.folder or _disk_folder(nbytes), nbytes)
        self.nbytes_spilled += nbytes
        return np.ndarray(shape, dtype, buffer=buffer)

    def _release(self, nbytes):
        self.nbytes_in_memory -= nbytes


def check_storage(storage):
    """Raise unless ``storage`` is None, "auto" or a folder that can be written to."""
    if storage is None or storage == "auto":
        return
    is_path = isinstance(storage, str | os.PathLike)
    if not (is_path and os.path.isdir(storage) and os.access(storage, os.W_OK)):
        raise ValueError(
            '`storage` must be None, "auto" or a folder that exists and can be written '
            f"to. Got {os.fspath(storage) if is_path else storage!r}."
        )


_current: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def storing_in(place):
    """Put large arrays that are made inside the block there."""
    token = _current.set(place)
    try:
        yield place
    finally:
        _current.reset(token)


def new_array(shape, dtype):
    """A large array with arbitrary entries, in the place in use, by default memory."""
    place = _current.get()
    return np.empty(shape, dtype) if place is None else place.empty(shape, dtype)


def filled_array(shape, dtype, function, *arrays):
    """A large array, filled in blocks of rows by a function of the arrays' rows."""
    out = new_array(shape, dtype)
    for rows in row_chunks(len(out), prod(shape[1:])):
        out[rows] = function(*(array[rows] for array in arrays))
    return out


def cast_array(array, dtype):
    """An array of another dtype, itself if it has it already."""
    if array.dtype == dtype:
        return array
    return filled_array(array.shape, dtype, lambda rows: rows, array)


def _file_in(folder, nbytes):
    """Memory that is mapped to a nameless file in a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix="skbadge-") as file:
            # The whole file is allocated at once: a write to a map for which the disk
            # has no room would kill the process.
            _allocate(file, nbytes)
            return mmap.mmap(file.fileno(), nbytes)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in _NO_ROOM:
            reason = "there is no room"
        raise OSError(
            error.errno,
            f"`storage`: {nbytes / 1e9:.3g} GB of the model's outputs cannot be put "
            f"into {os.fspath(folder)!r}, {reason}. Name a folder on a disk with more "
            "room, or query a part of the pool",
        ) from error


def _allocate(file, nbytes):
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, nbytes)
        return
    zeros = bytes(2**20)
    for start in range(0, nbytes, len(zeros)):
        file.write(zeros[: nbytes - start])
    file.flush()


def _disk_folder(nbytes):
    """A folder for temporary files that is on a disk, the first one with room."""
    mounts = {p.mountpoint: p.fstype for p in psutil.disk_partitions(all=True)}
    folders = [tempfile.gettempdir(), "/var/tmp", os.getcwd()]
    folders = [folder for folder in folders if os.access(folder, os.W_OK)]
    on_disk = [f for f in folders if mounts.get(_mount_of(f)) not in _IN_MEMORY]
    for folder in on_disk:
        if psutil.disk_usage(folder).free >= nbytes:
            return folder
    return (on_disk or folders)[0]


def _mount_of(folder):
    folder = os.path.realpath(folder)
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder
