"""Data sets of OpenML, by way of scikit-learn's loader."""

import os
import re
import warnings
from contextlib import suppress
from numbers import Integral
from os import PathLike
from typing import Literal
from urllib.error import URLError

import numpy as np
from numpy.typing import DTypeLike
from sklearn.datasets import fetch_openml, get_data_home

from skbadge._compat import Interval, openml_columns, validate_params
from skbadge.datasets._table import TABLE, TabularData, tabular_data
from skbadge.utils._optional import import_optional
from skbadge.utils._typing import RandomState

TEXT_TYPES = {"nominal", "string", "date"}


@validate_params(
    {
        "data": [Interval(Integral, 1, None, closed="left"), str],
        "version": [Interval(Integral, 1, None, closed="left"), None],
        "target": [str, None],
        "data_home": [str, PathLike, None],
        **TABLE,
    },
)
def load_openml(
    data: int | str,
    *,
    version: int | None = None,
    target: str | None = None,
    task: Literal["auto", "classification", "regression"] = "auto",
    data_home: str | PathLike | None = None,
    max_rows: int | None = None,
    min_frequency: int | float | None = None,
    max_categories: int | None = None,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
    random_state: RandomState = None,
) -> TabularData:
    """Load a data set of OpenML, ready for a net.

    scikit-learn's `fetch_openml` downloads it, once, and keeps it on disk. Beyond that

    * columns are what OpenML says they are. Nominal values stay strings, where
      scikit-learn, with pandas 3, fails on those that look like integers.
    * rows are read by pandas, fast. What comes out is compared with what OpenML says
      about the columns, and if it differs (quotes, percent signs, encodings) the rows
      are read again by the slower LIAC-ARFF.
    * rows whose target is missing are left out and counted, where scikit-learn
      refuses the data set.

    Parameters
    ----------
    data : int or str
        Its number at OpenML, or its name. Numbers are unique, names are not.

    version : int or None, default=None
        Version of the data set of that name. None is the oldest one still active, with
        scikit-learn's warning if there are several.

    target : str or None, default=None
        Column to predict. None takes the one that OpenML names.

    task : {"auto", "classification", "regression"}, default="auto"
        "auto" takes a nominal target for classes and a numeric one for a regression.

    data_home : str, path-like or None, default=None
        Folder for downloads, in which environment variables and ``~`` are expanded.
        None is scikit-learn's: the environment variable ``SCIKIT_LEARN_DATA``, or
        ``~/scikit_learn_data``.

    max_rows : int >= 1 or None, default=None
        If there are more rows, so many of them, drawn uniformly, in their order.

    min_frequency, max_categories, scale, dtype
        Of the preprocessor, see `table_preprocessor`.

    random_state : int, RandomState or None, default=None
        Draws the rows.

    Returns
    -------
    data : TabularData
        Features, encoded target and preprocessor.

    Raises
    ------
    ConnectionError
        If the data set is not on disk and OpenML does not answer.

    ValueError
        If OpenML has no such data set, it is sparse or cannot be read, or a parameter
        is out of range.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.datasets import load_openml
    >>> from skbadge.nn import TabularNetClassifier
    >>> adult = load_openml("adult", version=2)  # doctest: +SKIP
    >>> model = make_pipeline(
    ...     adult.preprocessor, TabularNetClassifier()
    ... )  # doctest: +SKIP
    >>> querier = BadgeQuerier(model)  # doctest: +SKIP
    >>> querier.fit(adult.X[:100], adult.y[:100])  # doctest: +SKIP
    >>> rows = querier.query(adult.X[100:], n=50)  # doctest: +SKIP
    """
    import_optional("pandas", extra="plot", purpose="load_openml")
    request = _request(data, version)
    if data_home is not None:
        data_home = os.path.expanduser(os.path.expandvars(data_home))
    home = get_data_home(data_home)
    details, description = _details(data, home, request)
    found = openml_columns(int(details["id"]), home)
    columns = {column["name"]: column for column in found}
    target = _target(data, columns, target)
    ignored = [
        name
        for name, column in columns.items()
        if "true" in (column["is_ignore"], column["is_row_identifier"])
        and name != target
    ]
    return tabular_data(
        _frame(data, home, details, columns, target),
        target,
        task=task,
        max_rows=max_rows,
        random_state=random_state,
        preprocessing={
            "min_frequency": min_frequency,
            "max_categories": max_categories,
            "scale": scale,
            "dtype": dtype,
        },
        ignored=ignored,
        name=details["name"],
        description=description,
        id=int(details["id"]),
        version=int(details["version"]),
    )


def _request(data, version):
    """Keyword arguments of `fetch_openml` that say which data set."""
    if isinstance(data, str):
        return {"name": data, "version": "active" if version is None else version}
    if version is not None:
        raise ValueError(
            f"version={version!r} goes with a name, not with the id data={data}: an "
            "id is one version already."
        )
    return {"data_id": int(data)}


def _fetch(data, home, **request):
    """Call `fetch_openml`; what it raises says what to do."""
    with warnings.catch_warnings():
        # The error that follows these, if one follows, says it all.
        for message in ("A network error occurred", "Invalid cache, redownloading"):
            warnings.filterwarnings("ignore", message=message)
        try:
            return fetch_openml(data_home=home, as_frame=True, **request)
        except (URLError, TimeoutError) as error:
            raise ConnectionError(
                f"data={data!r} is not, or not intact, in the folder {home}, and "
                f"OpenML does not answer: {error}. Connect once, or point data_home "
                "or the environment variable SCIKIT_LEARN_DATA to a folder that has "
                "it. There, a data set is found by its id always, by its name only if "
                "that name and version was looked up before."
            ) from error
        except OSError:
            raise
        except Exception as error:
            # Each parser has exceptions of its own.
            raise ValueError(f"data={data!r} cannot be loaded: {error}") from error


def _details(data, home, request):
    """What OpenML says about a data set; afterwards all its files are on disk."""
    request = {**request, "target_column": None}
    try:
        # No row is read yet, for which the columns must be known first.
        options = {"nrows": 0}
        bunch = _fetch(data, home, parser="pandas", read_csv_kwargs=options, **request)
    except ValueError as error:
        if not _is_parser_error(error):
            raise
        bunch = _fetch(data, home, parser="liac-arff", **request)
    description = bunch.DESCR.removesuffix("\n\nDownloaded from openml.org.")
    return bunch.details, re.sub(r"https?://\S+", "", description).strip()


def _is_parser_error(error):
    from pandas.errors import ParserError

    return isinstance(error.__cause__, ParserError)


def _target(data, columns, target):
    if target is not None:
        if target not in columns:
            raise ValueError(f"target must be one of {list(columns)}. Got {target!r}.")
        return target
    targets = [name for name in columns if columns[name]["is_target"] == "true"]
    if len(targets) != 1:
        raise ValueError(
            f"OpenML names {targets or 'no column'} as target of data={data!r}. Choose "
            f"one column with target: one of {list(columns)}."
        )
    return targets[0]


def _frame(data, home, details, columns, target):
    """All rows of a data set whose files are on disk."""
    request = {
        "data_id": int(details["id"]),
        # Scikit-learn refuses missing values in what it knows to be the target.
        "target_column": None if _n_missing(columns[target]) else target,
        # It asks the network again for a file that it cannot parse, in vain.
        "n_retries": 1,
        "delay": 1e-3,
    }
    text = {
        position: str
        for position, column in enumerate(columns.values())
        if _kind(column) in TEXT_TYPES
    }
    with warnings.catch_warnings():
        # What there is to say about the data set was said when its details came.
        warnings.simplefilter("ignore", UserWarning)
        with suppress(ValueError, OSError):
            bunch = _fetch(
                data,
                home,
                parser="pandas",
                read_csv_kwargs={"dtype": text},
                **request,
            )
            frame = _typed(bunch.frame, columns)
            if _is_as_said(frame, columns):
                return frame
        bunch = _fetch(data, home, parser="liac-arff", **request)
    return _typed(bunch.frame, columns)


def _kind(column):
    return column["data_type"].lower()


def _n_missing(column):
    return int(column.get("number_of_missing_values", 0))


def _nominal_values(column):
    values = column.get("nominal_value", [])
    return [values] if isinstance(values, str) else values


def _typed(frame, columns):
    """Nominal columns as categories, dates as dates if they can be read as such."""
    import pandas as pd

    typed = frame.copy()
    for name, values in frame.items():
        column = columns[name]
        if _kind(column) == "nominal":
            values = values.astype("category")
            labels = values.cat.categories
            # ARFF has single quotes, CSV has not.
            plain = labels.str.replace(r"^'(.*)'$", r"\1", regex=True)
            if plain.is_unique:
                values = values.cat.rename_categories(plain)
            listed = pd.Index(_nominal_values(column), dtype=object)
            present = values.cat.categories
            order = [
                *listed[listed.isin(present)],
                *present[~present.isin(listed)],
            ]
            typed[name] = values.cat.set_categories(order)
        elif _kind(column) == "date":
            with suppress(ValueError):
                typed[name] = pd.to_datetime(values)
        elif values.dtype == "Int64":
            missing = values.isna().any()
            typed[name] = values.astype("float64" if missing else "int64")
    return typed


def _is_as_said(frame, columns):
    """Whether the columns that pandas read are what OpenML says they are."""
    for name, values in frame.items():
        column, kind = columns[name], _kind(columns[name])
        if values.isna().sum() != _n_missing(column):
            return False
        if kind == "nominal":
            if not values.cat.categories.isin(_nominal_values(column)).all():
                return False
        elif kind == "string":
            if values.str.startswith("'", na=False).any():
                return False
        elif kind != "date" and values.dtype.kind not in "iuf":
            return False
    return True
