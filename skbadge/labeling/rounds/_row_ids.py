"""PoolRows: a pool whose rows have ids, by which they are known in any order."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skbadge.labeling.ledger._scalars import Scalar, as_text, from_text
from skbadge.labeling.rounds._task import Task
from skbadge.pools import (
    ChunkedPool,
    as_pool,
    is_dataset,
    kind_of,
    n_rows,
    row_ids,
    take_rows,
)
from skbadge.querier._check_rows import check_container
from skbadge.utils._shown import did_you_mean, shown

# Rows that are looked at to tell whether a pool is the same as before.
_N_LOOKED_AT = 10_000
_N_LOOKED_AT_DATASET = 100


class PoolRows:
    """The rows of a pool, and what they are called.

    Parameters
    ----------
    X : what `BadgeQuerier.query` takes
        The pool.

    ids : None, str or array-like of shape (n_pool,)
        The entries of a column, or one id a row. None takes the index of a frame of
        pandas, if that is unique, or the id column of a pool in chunks, and else
        positions.

    estimator : estimator object
        That is to read the rows.

    Attributes
    ----------
    X : container of rows
        For the model.

    source : str
        "index", "column", "array" or "position".
    """

    def __init__(self, X: Any, ids: Any, estimator: BaseEstimator):
        X = as_pool(X)
        self.is_chunked = isinstance(X, ChunkedPool)
        self.X = X if self.is_chunked else check_container(X, estimator, "X_pool")
        self.n_rows = len(X) if self.is_chunked else n_rows(self.X)
        self.source, found = self._find_ids(ids)
        self._texts: list[str] | None = None
        if found is not None:
            self._keep_ids(found)

    def _find_ids(self, ids):
        if isinstance(ids, str):
            return "column", self._take_column(ids)
        if ids is not None:
            found = list(ids) if isinstance(ids, list | tuple) else np.asarray(ids)
            if getattr(found, "ndim", 1) != 1 or len(found) != self.n_rows:
                raise ValueError(
                    f"`ids` must hold one id for each of the {self.n_rows} rows of "
                    f"`X_pool`. Got {shown(ids)}."
                )
            return "array", found
        if self.is_chunked:
            parts = self.X.partitions
            name = parts[0].id_column if parts else None
            return (
                ("position", None) if name is None else ("column", self.X.column(name))
            )
        index = getattr(self.X, "index", None)
        if kind_of(self.X) != "pandas" or not index.is_unique:
            return "position", None
        if not all(isinstance(each, str | int | float) for each in index[:1].tolist()):
            # Dates and tuples have no place in a ledger.
            return "position", None
        return "index", index

    def _take_column(self, name):
        """Entries of a column, which is not for the model."""
        if self.is_chunked:
            self._check_is_left_out(name)
            return self.X.column(name)
        kind, known = kind_of(self.X), _names_in(self.X)
        if name not in known:
            raise ValueError(
                f"`ids` must be a column of `X_pool`. Got {name!r}."
                + did_you_mean(name, [each for each in known if isinstance(each, str)])
            )
        column = self.X[name]
        if kind == "dict":
            self.X = {key: part for key, part in self.X.items() if key != name}
        elif kind == "pandas":
            self.X = self.X.drop(columns=name)
        else:
            self.X = self.X.drop(name)
        return column

    def _check_is_left_out(self, name):
        """Raise if chunks would hand a column of ids to the model."""
        if name in _names_in(self.X.first(1)):
            raise ValueError(
                f"`ids` must be no column that the model gets. Got {name!r}. Make the "
                f"pool with `id_column={name!r}`; `ids` is not needed then."
            )

    def _keep_ids(self, found):
        # As a list, times of NumPy may be ints.
        is_time = getattr(getattr(found, "dtype", None), "kind", "O") in "mM"
        has_list = hasattr(found, "tolist") and not is_time
        values = found.tolist() if has_list else list(found)
        texts = [as_text(value, "ids") for value in values]
        positions = dict(zip(texts, range(self.n_rows), strict=True))
        if len(positions) < self.n_rows:
            row = next(i for i, text in enumerate(texts) if positions[text] != i)
            raise ValueError(
                f"`ids` must be unique. Got {values[row]!r} for rows {row} and "
                f"{positions[texts[row]]}."
            )
        self._texts, self._positions = texts, positions

    def key(self, position: int) -> str:
        """The id of a row as JSON."""
        return str(int(position)) if self._texts is None else self._texts[position]

    def position(self, key):
        """Where the row of an id stands; None if there is none."""
        if self._texts is not None:
            return self._positions.get(key)
        return int(key) if key.isdecimal() and int(key) < self.n_rows else None

    def positions(self, keys: Iterable[str]) -> list[int]:
        """Where rows of the ledger stand; raises if another session has more rows."""
        found = {key: self.position(key) for key in keys}
        gone = next((key for key, place in found.items() if place is None), None)
        if gone is not None:
            raise ValueError(
                "`X_pool` must hold all rows of the ledger. Another session has been "
                f"opened on more rows, such as {shown(from_text(gone))}: open this one "
                "again on the same. Answers can still be given."
            )
        return list(found.values())

    def key_of(self, id: Scalar) -> str:
        """The JSON of an id that a user gives; raises if no row has it."""
        if isinstance(id, Task):
            raise TypeError("`id` must be the id of a task: pass `task.id`.")
        key = as_text(id, "id")
        if self.position(key) is None:
            raise ValueError(self._unknown(from_text(key)))
        return key

    def _unknown(self, id):
        if self._texts is None:
            known = f"the position of one of the {self.n_rows} rows of the pool, an int"
            return f"`id` must be {known}. Got {shown(id)}."
        hint, twin = "", self.twin(id)
        if twin is not None:
            hint = f" Did you mean {twin!r}?"
        elif isinstance(id, str):
            hint = did_you_mean(id, [str(from_text(text)) for text in self._texts])
        return f"`id` must be the id of a row of the pool. Got {shown(id)}.{hint}"

    def twin(self, id: Scalar) -> Scalar | None:
        """An id of another type that looks the same, such as "7" or 7.0 for 7."""
        known = map(from_text, self._texts or ())
        return next((each for each in known if _look(each) == _look(id)), None)

    def take(self, positions: Any) -> Any:
        """Some rows as one container."""
        positions = np.asarray(positions, dtype=np.int64)
        return (
            self.X.take(positions) if self.is_chunked else take_rows(self.X, positions)
        )

    def rows(self, positions: Any) -> list:
        """Some rows, each by itself: a Series, an array, a text."""
        taken = self.take(positions)
        return [row_of(taken, i) for i in range(len(positions))]

    def digests(self, positions: Any) -> list[str]:
        """What is in some rows, for each 16 hexadecimal digits."""
        return row_ids(self.take(positions)) if len(positions) else []

    def digest(self) -> str:
        """Of the whole pool, as far as a look at some rows tells."""
        n = min(self.n_rows, _N_LOOKED_AT)
        if self.is_chunked:
            rows = row_ids(self.X.first(min(n, _N_LOOKED_AT_DATASET)))
        else:
            if is_dataset(self.X):
                n = min(n, _N_LOOKED_AT_DATASET)
            rows = self.digests(np.linspace(0, self.n_rows - 1, n).astype(np.int64))
        found = blake2b("".join(rows).encode(), digest_size=8)
        return found.hexdigest()


def _names_in(X):
    """Names of the columns, or keys, of a container of rows that has any."""
    return list(X if kind_of(X) == "dict" else getattr(X, "columns", ()))


def _look(id):
    is_whole = isinstance(id, float) and id.is_integer()
    return str(int(id) if is_whole else id)


def row_of(X: Any, i: int) -> Any:
    """One row as its container hands it out."""
    kind = kind_of(X)
    if kind == "dict":
        return {name: row_of(part, i) for name, part in X.items()}
    if kind == "inputs":
        return [row_of(part, i) for part in X]
    if kind == "pandas":
        return X.iloc[i]
    if kind == "sparse":
        return X[i : i + 1] if X.ndim > 1 else X[i]
    if kind == "polars" and hasattr(X, "columns"):
        return X[i : i + 1]
    return X[i]
