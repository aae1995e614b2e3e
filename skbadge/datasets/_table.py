"""A table with a target, made ready for a net; and the reader of files."""

import os
import warnings
from dataclasses import dataclass
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state

from skbadge._compat import Interval, StrOptions, validate_params
from skbadge.nn import table_preprocessor
from skbadge.nn._preprocessor import column_kinds
from skbadge.utils._html_tables import facts_table
from skbadge.utils._optional import import_optional
from skbadge.utils._typing import RandomState
from skbadge.utils._whole_file import damage_refused

if TYPE_CHECKING:
    import pandas as pd

# What loaders have in common; `table_preprocessor` checks what is its own.
TABLE = {
    "task": [StrOptions({"auto", "classification", "regression"})],
    "max_rows": [Interval(Integral, 1, None, closed="left"), None],
    "random_state": ["random_state"],
}
SEPARATORS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, eq=False, repr=False)
class TabularData:
    """A table, its target, and what makes a net able to read it.

    Attributes
    ----------
    X : DataFrame of shape (n_samples, n_columns)
        The features. The index is the number of the row in the source, from 0.

    y : ndarray of shape (n_samples,)
        The target: int64 positions in ``classes``, or float64 for a regression.

    task : {"classification", "regression"}
        What kind of target it is.

    classes : ndarray of shape (n_classes,) or None
        The labels, sorted: ``classes[y]`` is the target as the source has it. None for
        a regression.

    preprocessor : ColumnTransformer
        Not fitted, see `table_preprocessor`.

    name : str
        Name of the data set.

    target_name : str
        Name of the column that the target was.

    description : str
        What the source says about the data.

    id, version : int or None
        Of OpenML.

    ignored_columns : tuple of str
        Columns that the source says not to learn from, such as row numbers.

    n_dropped : int
        Rows left out because their target is missing.
    """

    X: "pd.DataFrame"
    y: NDArray
    task: Literal["classification", "regression"]
    # Any stands for None, of a regression.
    classes: NDArray | Any
    preprocessor: ColumnTransformer
    name: str
    target_name: str
    description: str = ""
    id: int | None = None
    version: int | None = None
    ignored_columns: tuple[str, ...] = ()
    n_dropped: int = 0

    def _facts(self):
        """Yield (what, value) pairs for people."""
        source = "" if self.id is None else f" (OpenML {self.id}, v{self.version})"
        yield "data", self.name + source
        yield "rows", f"{len(self.X)}"
        kinds = zip(("number", "time", "category"), column_kinds(self.X), strict=True)
        counts = [f"{len(columns)} {kind}" for kind, columns in kinds if columns]
        yield "columns", f"{self.X.shape[1]}: " + ", ".join(counts)
        yield "missing values", f"{int(self.X.isna().to_numpy().sum())}"
        target = f"{self.target_name}, {self.task}"
        if self.classes is not None:
            target += f", {len(self.classes)} classes"
        yield "target", target
        if self.n_dropped:
            yield "dropped", f"{self.n_dropped} rows without target"
        if self.ignored_columns:
            yield "ignored columns", ", ".join(map(str, self.ignored_columns))

    def __repr__(self):
        facts = "; ".join(f"{what}: {value}" for what, value in self._facts())
        return f"<TabularData {facts}>"

    def _repr_html_(self):
        preview = self.X.head().to_html(max_cols=10, border=0)
        return facts_table(self._facts()) + preview


@validate_params(
    {"path": [str, PathLike], "target": [str], **TABLE},
)
def load_table(
    path: str | PathLike,
    target: str,
    *,
    task: Literal["auto", "classification", "regression"] = "auto",
    max_rows: int | None = None,
    min_frequency: int | float | None = None,
    max_categories: int | None = None,
    scale: bool = True,
    dtype: DTypeLike = np.float32,
    random_state: RandomState = None,
) -> TabularData:
    """Read a table from a file of your own.

    Parameters
    ----------
    path : str or path-like
        A ``.csv``, ``.tsv`` or ``.parquet`` file; text may be compressed
        (``.csv.gz``). Environment variables and ``~`` are expanded. In text, the first
        line names the columns, and empty cells and the usual marks (``NA``, ``NaN``,
        ``null``, see `pandas.read_csv`) are missing values. The index that a Parquet
        file may have is no column. Decimal numbers are read as floats.

    target : str
        Name of the column to predict. Rows in which it is missing are left out and
        counted in ``n_dropped``.

    task : {"auto", "classification", "regression"}, default="auto"
        "auto" takes numbers for a regression and anything else for classes; whether
        integers are classes cannot be seen from them.

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
    FileNotFoundError
        If there is no such file.

    ValueError
        If the kind of file is another one, the file is damaged, the target is no
        column, has no value, or has no finite number although it is a regression's.

    Examples
    --------
    >>> import os, tempfile
    >>> from pathlib import Path
    >>> from skbadge.datasets import load_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.environ["PETS"] = folder
    ...     lines = "size,colour,kind", "1.5,red,cat", ",blue,dog", "3.5,red,"
    ...     _ = Path(folder, "pets.csv").write_text(os.linesep.join(lines))
    ...     data = load_table("$PETS/pets.csv", "kind")
    >>> data
    <TabularData data: pets; rows: 2; columns: 2: 1 number, 1 category; ...>
    >>> data.classes[data.y]
    array(['cat', 'dog'], dtype=object)
    """
    path = Path(os.path.expandvars(path)).expanduser()
    return tabular_data(
        _read(path),
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
        name=path.name.partition(".")[0],
    )


def _read(path):
    pd = import_optional("pandas", extra="plot", purpose="load_table")
    suffixes = map(str.lower, path.suffixes)
    suffix = next((s for s in suffixes if s in (*SEPARATORS, ".parquet")), None)
    if suffix is None:
        raise ValueError(
            "path must end in .csv, .tsv (compressed or not) or .parquet. "
            f"Got {str(path)!r}."
        )
    if not path.is_file():
        raise FileNotFoundError(f"path must be a file. There is none at {path}.")
    with damage_refused(path), warnings.catch_warnings():
        # That is how pandas says that a line has more cells than the first line.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        if suffix != ".parquet":
            return pd.read_csv(
                path, sep=SEPARATORS[suffix], index_col=False, low_memory=False
            )
        frame = pd.read_parquet(path).reset_index(drop=True)
    # Else each of these would be a category.
    decimals = [
        name
        for name, column in frame.items()
        if pd.api.types.infer_dtype(column) == "decimal"
    ]
    return frame.astype(dict.fromkeys(decimals, np.float64))


def tabular_data(
    frame, target, *, task, max_rows, random_state, preprocessing, ignored=(), **about
):
    """Assemble a `TabularData` from a frame that holds the target as well.

    ``preprocessing`` are keyword arguments of `table_preprocessor`, ``ignored`` columns
    to leave out, ``about`` more attributes of the result; the rest as in `load_table`.
    """
    if target not in frame.columns:
        raise ValueError(
            f"target must be one of {list(frame.columns)}. Got {target!r}."
        )
    known = frame[target].notna().to_numpy()
    if not known.any():
        raise ValueError(f"target={target!r} has no value in any of {len(frame)} rows.")
    y, task, classes = encode_target(frame.loc[known, target], task)
    X = frame.loc[known].drop(columns=[target, *set(ignored).intersection(frame)])
    if max_rows is not None and max_rows < len(X):
        random_state = check_random_state(random_state)
        rows = np.sort(random_state.choice(len(X), size=max_rows, replace=False))
        X, y = X.iloc[rows], y[rows]
    return TabularData(
        X=X,
        y=y,
        task=task,
        classes=classes,
        preprocessor=table_preprocessor(X, **preprocessing),
        target_name=target,
        ignored_columns=tuple(ignored),
        n_dropped=int((~known).sum()),
        **about,
    )


def encode_target(values, task):
    """Encode a target without missing values: ``y``, its task, its classes or None.

    "auto" takes numbers for a regression, and nothing else.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    number = is_numeric_dtype(values.dtype) and not is_bool_dtype(values.dtype)
    if task == "auto":
        task = "regression" if number else "classification"
    if task == "regression":
        if not number:
            raise ValueError(
                f"task='regression' needs numbers in the target {values.name!r}. "
                f"Got {values.iloc[0]!r} among them."
            )
        y = values.to_numpy(dtype=np.float64)
        if not np.isfinite(y).all():
            raise ValueError(
                f"The target {values.name!r} must be finite for a regression. Got "
                f"{y[~np.isfinite(y)][0]} in {(~np.isfinite(y)).sum()} of {len(y)} "
                "rows: leave these out."
            )
        return y, task, None
    labels = values.tolist()
    if len({type(label) for label in labels}) > 1:
        labels = list(map(str, labels))
    strings = isinstance(labels[0], str)
    encoder = LabelEncoder().fit(np.array(labels, dtype=object if strings else None))
    return encoder.transform(labels).astype(np.int64), task, encoder.classes_
