"""The same rows as a pool of every kind."""

import dask.array as da
import dask.dataframe as dd
import h5py
import numpy as np
import pandas as pd
import pytest
import zarr

from skbadge.pools import from_arrays, from_chunks, from_dask, from_parquet

COLUMNS = ["a", "b", "c"]
N_ROWS = 53


def make_rows(n_rows=N_ROWS, seed=0):
    X = np.random.default_rng(seed).normal(size=(n_rows, len(COLUMNS)))
    return X.astype(np.float32)


def names_of(X):
    return np.array([f"row {i}" for i in range(len(X))])


def frame_of(X):
    return pd.DataFrame(X, columns=COLUMNS).assign(name=names_of(X))


class Batches:
    """Chunks of unequal sizes, one of them empty; can be iterated over again."""

    def __init__(self, X):
        self.X = X

    def __iter__(self):
        return iter(np.split(self.X, [7, 7, 20, 21]))


class Start:
    """Starts an iterator; unlike a generator function of a test, can be pickled."""

    def __init__(self, X, size=11):
        self.X, self.size = X, size

    def __call__(self):
        for start in range(0, len(self.X), self.size):
            yield self.X[start : start + self.size]


def memory_map(X, folder):
    path = folder / "rows.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def hdf5(X, folder):
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, chunks=(4, 2))
    return h5py.File(path, "r")["X"]


def zarr_array(X, folder):
    array = zarr.create_array(
        folder / "rows.zarr", shape=X.shape, chunks=(6, 3), dtype=X.dtype
    )
    array[:] = X
    return array


def parquet(X, folder, n_files=3, group_rows=5):
    for i, part in enumerate(np.array_split(np.arange(len(X)), n_files)):
        path = folder / f"part-{i}.parquet"
        frame = frame_of(X).iloc[part]
        frame.to_parquet(path, index=False, row_group_size=group_rows)
    return folder


MAKERS = {
    "array": lambda X, folder: from_arrays(X, chunk_rows=4),
    "one chunk": lambda X, folder: from_arrays(X),
    "list of arrays": lambda X, folder: from_arrays(np.split(X, [1, 9]), chunk_rows=4),
    "memory map": lambda X, folder: from_arrays(memory_map(X, folder), chunk_rows=4),
    "part of a memory map": lambda X, folder: from_arrays(
        memory_map(np.vstack([X, X]), folder)[len(X) :], chunk_rows=4
    ),
    "hdf5": lambda X, folder: from_arrays(hdf5(X, folder), chunk_rows=5),
    "zarr": lambda X, folder: from_arrays(zarr_array(X, folder), chunk_rows=5),
    "iterable": lambda X, folder: from_chunks(Batches(X)),
    "function": lambda X, folder: from_chunks(Start(X)),
    "functions": lambda X, folder: from_chunks([Start(X[:20]), Start(X[20:], 3)]),
    "list of chunks": lambda X, folder: from_chunks(list(Batches(X))),
    "parquet": lambda X, folder: from_parquet(
        parquet(X, folder), id_column="name", batch_rows=4
    ),
    "dask array": lambda X, folder: from_dask(da.from_array(X, chunks=(9, 2))),
    "dask array of unknown size": lambda X, folder: from_dask(
        da.from_array(np.vstack([X, -np.ones_like(X)]), chunks=(9, 3))[
            da.from_array(np.arange(2 * len(X)) < len(X), chunks=9)
        ]
    ),
    "dask frame": lambda X, folder: from_dask(
        dd.from_pandas(frame_of(X), npartitions=4), id_column="name"
    ),
    "dask frame of files": lambda X, folder: from_dask(
        dd.read_parquet(parquet(X, folder)), id_column="name"
    ),
}

all_pools = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
