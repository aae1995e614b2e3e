"""Rows as numbers before there is any label: by a model's own steps, or by their kind.

Everything is fitted to rows without labels, as clones, and says what was done.
"""

import re
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from skbadge.nn import table_preprocessor
from skbadge.nn._adapt import has_own_dataset
from skbadge.nn._preprocessor import categories, column_kinds
from skbadge.outputs._pipeline import innermost, is_skorch_net, wrapped
from skbadge.pools import (
    array_of,
    frame_to_array,
    is_frame,
    kind_of,
    n_rows,
    not_numeric,
)
from skbadge.querier._check_rows import check_axes
from skbadge.querier._seeding import set_random_states
from skbadge.querier._training import learns_from_labels, let_copy
from skbadge.utils._shown import listed
from skbadge.utils._streams import stream_seed

# Categories of a column that are told apart; the rarest of more become one.
MAX_CATEGORIES = 100

# What an error of a step says that was given no labels.
_OF_LABELS = re.compile(
    r"requires y|NoneType|\by\b.*\bNone\b|argument: 'y'|\blabels?\b|\btargets?\b"
)

# The lists of parts inside steps, and what stands in for a part that is left out.
_PARTS = (
    (Pipeline, "steps", "passthrough"),
    (ColumnTransformer, "transformers", "drop"),
    (FeatureUnion, "transformer_list", "drop"),
)


class NumbersOfRows:
    """Turns rows into a matrix, as it learned from rows without labels.

    Parameters
    ----------
    estimator : estimator object
        Whose steps before the model come first. It stays as it is.

    seed : int or None
        Of steps that draw.

    Attributes
    ----------
    notes : list of str
        What was done that the estimator does not do.
    """

    def __init__(self, estimator, seed):
        self._estimator, self._seed = estimator, seed
        self._maps: list[Callable[[Any], Any]] = []
        self.notes: list[str] = []

    def fit_transform(self, X):
        """The matrix of these rows, dense or sparse; None if they are no numbers."""
        for part in wrapped(self._estimator):
            for name, step in part.steps[:-1] if isinstance(part, Pipeline) else ():
                step = _without_label_readers(step, name, self.notes)
                if step is not None:
                    X = self._fit_step(step, name, X)
        X = _inferred(X)
        if is_frame(X) and not_numeric(X):
            return self._fit_frame(X)
        rows = self._matrix(X)
        if rows is None:
            self.notes.append(f"the rows, a {type(X).__name__}, hold no numbers")
        elif rows.ndim > 2:
            self.notes.append(f"rows of shape {rows.shape[1:]} were flattened")
        return rows

    def transform(self, X):
        """The matrix of other rows, by what `fit_transform` learned."""
        for apply in self._maps:
            X = apply(X)
        return self._matrix(_inferred(X))

    def _fit_step(self, step, name, X):
        """Rows behind a step; the same rows if it turns out to need labels."""
        if isinstance(step, FrozenEstimator):
            self._maps.append(step.transform)
            return step.transform(X)
        if self._seed is not None:
            set_random_states(step, stream_seed(self._seed, name))
        try:
            if hasattr(step, "fit_transform"):
                rows = step.fit_transform(X)
            else:
                rows = step.fit(X).transform(X)
        except Exception as error:
            if not _OF_LABELS.search(str(error)):
                error.add_note(
                    f"The step {name!r} was fitted to the pool, without labels."
                )
                raise
            said = str(error).partition("\n")[0]
            self.notes.append(
                _left_out(name, step, f"cannot do without labels: {said}")
            )
            return X
        if (n_made := n_rows(rows)) != n_rows(X):
            raise ValueError(
                f"The step {name!r}, a {type(step).__name__}, made {n_made} rows of "
                f"{n_rows(X)}. One that reads texts takes a column, `X['text']`, and "
                "not a data frame, unless a ColumnTransformer names the column."
            )
        self._maps.append(step.transform)
        return rows

    def _fit_frame(self, X):
        """The matrix of a frame, without columns of texts that hardly ever recur."""
        _, _, others = column_kinds(X)
        limit = max(2, n_rows(X) / 2)
        words = [name for name in others if len(categories(X[name])) > limit]
        kept = [name for name in X.columns if name not in words]
        if words:
            self.notes.append(
                f"the columns {listed(words)} were left out: their entries hardly ever "
                "recur"
            )
        if not kept:
            return None
        self.notes.append(
            "the columns went through `skbadge.nn.table_preprocessor`, for not all are "
            "numbers"
        )
        encoder = table_preprocessor(X[kept], max_categories=MAX_CATEGORIES)
        matrix = encoder.fit_transform(X[kept])
        self._maps.append(lambda rows: encoder.transform(_inferred(rows)[kept]))
        return matrix

    def _matrix(self, X):
        """Rows that hold numbers as an array of any shape or sparse matrix; or None."""
        if kind_of(X) in ("dict", "inputs", "torch dataset"):
            return None
        if sparse.issparse(X):
            return X if X.shape[1] else None
        is_numeric = is_frame(X) and not not_numeric(X)
        array = frame_to_array(X) if is_numeric else array_of(X)
        if array.dtype == object and array.ndim > 1:
            # Columns of a mixed table, or of numbers that arrive as objects.
            try:
                array = array.astype(np.float64)
            except (TypeError, ValueError):
                return None
        if array.dtype.kind not in "biufc":
            return None
        if array.ndim < 2:
            net = innermost(self._estimator)
            if is_skorch_net(net) and has_own_dataset(net):
                # They name what the net's data set reads.
                return None
            check_axes(array, "X_pool")
        if array.dtype.itemsize <= 2:
            # Pixels take half the room that they would take as other integers do.
            array = array.astype(np.float32)
        return array if array[:1].size else None


def _inferred(X):
    """Rows of pandas with numbers for columns that hold them as objects."""
    return X.infer_objects() if hasattr(X, "infer_objects") else X


def _without_label_readers(step, name, notes):
    """A clone of a step without the parts that learn from labels.

    None if nothing is left of it, or it has no part in predictions.
    """
    if step is None or isinstance(step, str) or hasattr(step, "fit_resample"):
        return None
    if isinstance(step, FrozenEstimator):
        return step
    for kind, parts, stand_in in _PARTS:
        if isinstance(step, kind):
            return _without_some_parts(step, parts, stand_in, name, notes)
    if _needs_labels(step):
        notes.append(_left_out(name, step, "learns from labels"))
        return None
    made = clone(step)
    let_copy(made, step)
    return made


def _without_some_parts(step, parts, stand_in, name, notes):
    def kept_of(part, part_name):
        if not isinstance(part, str) and part is not None:
            part = _without_label_readers(part, f"{name}__{part_name}", notes)
        return stand_in if part is None else part

    kept = [(key, kept_of(part, key), *rest) for key, part, *rest in vars(step)[parts]]
    found = [part for _, part, *_ in kept]
    step = clone(step)
    setattr(step, parts, kept)
    if isinstance(step, ColumnTransformer):
        step.remainder = kept_of(step.remainder, "remainder")
        found.append(step.remainder)
    return None if all(isinstance(p, str) and p == stand_in for p in found) else step


def _needs_labels(step):
    """Whether a step cannot be fitted without labels, as far as it says so."""
    if is_classifier(step) or is_regressor(step) or learns_from_labels(step):
        return True
    try:
        y = signature(step.fit).parameters.get("y")
    except (TypeError, ValueError):
        return False
    return y is not None and y.default is Parameter.empty


def _left_out(name, step, why):
    return f"the step {name!r}, a {type(step).__name__}, was left out: it {why}"
