"""Querying before a model is trained: by a strategy that looks at the rows alone."""

from dataclasses import fields, replace
from functools import partial

from sklearn.base import clone

from skbadge.outputs import Labeled, Needs, Outputs
from skbadge.outputs.readers._input_rows import input_rows
from skbadge.outputs.readers._standardize import standardized
from skbadge.pools import n_rows, row_ids
from skbadge.querier._check_rows import check_container
from skbadge.querier._fingerprint import fingerprint
from skbadge.querier._numbers_of_rows import NumbersOfRows
from skbadge.querier._strategy_in_use import FUNCTION_HINT, kind_of
from skbadge.strategies import (
    CallableStrategy,
    Random,
    get_strategy,
    get_strategy_names,
)
from skbadge.utils._row_errors import row_error, rows_among
from skbadge.utils._shared_state import seeded
from skbadge.utils._validation import not_finite_rows

# Rows of a pool in chunks that a start selects among.
N_SAMPLED = 35_000

# What can be known without a model. `n_columns` says something of gradients only.
_OF_ROWS = {"features", "inputs", "labeled", "ids", "sparse", "n_columns"}


def resolve_cold_start(cold_start, estimator, name="cold_start"):
    """The strategy to start with; raises if it needs a model. None stays None.

    ``name`` is what errors call the parameter.
    """
    if cold_start is None:
        return None
    kind = kind_of(estimator)
    try:
        strategy = get_strategy(cold_start, kind)
    except (TypeError, ValueError) as error:
        message = str(error).replace("`strategy`", f"`{name}`")
        raise type(error)(message) from None
    strategy._validate_params()
    if not needs_no_model(strategy):
        hint = FUNCTION_HINT if isinstance(strategy, CallableStrategy) else ""
        raise ValueError(
            f"`{name}` selects before there is a model, and {strategy} needs one: "
            f"{Needs.of(strategy.needs)}.{hint} These do without: "
            f"{modelless_names(kind)}."
        )
    return strategy


def needs_no_model(strategy):
    """Whether a strategy reads nothing but the rows and what is known of them."""
    needs = strategy.all_needs
    return not any(
        getattr(needs, item.name) for item in fields(needs) if item.name not in _OF_ROWS
    )


def modelless_names(kind):
    """Names of the strategies that can be a start, for a kind of estimator."""
    names = get_strategy_names()
    return [name for name in names if needs_no_model(get_strategy(name, kind))]


class ColdStart:
    """What a querier asks while it has no trained model.

    Rows stand for themselves: their columns, standardised over the pool, are both
    features and inputs. Nothing is kept on the querier.

    Parameters
    ----------
    querier : BadgeQuerier
        Without a trained model, or with one that knows one class only.

    Attributes
    ----------
    strategy : Strategy
        What selects; after `read`, it may be `Random`.
    """

    def __init__(self, querier):
        querier.check_parameters()
        self._querier, self._estimator = querier, querier._estimator()
        kind = kind_of(self._estimator)
        self._named = get_strategy(querier.strategy, kind)
        self.strategy = clone(resolve_cold_start(querier.cold_start, self._estimator))
        self._notes: list[str] = []

    def check(self, X):
        """Rows of the pool, checked; with kept labelled rows, as these were."""
        if self._querier._n_labeled():
            return self._querier._check_X(X, reset=False, name="X_pool")
        # Names and number of columns are what the first labelled rows will say.
        return check_container(X, self._estimator, "X_pool")

    def read(self, X_pool):
        """The pool and the labelled rows as a strategy sees them, the latter or None.

        Where rows are no numbers, the strategy becomes a uniform draw.
        """
        needs, size = self.strategy.all_needs, n_rows(X_pool)
        outputs, scaling, numbers = Outputs(n_rows=size), None, None
        if needs.features or needs.inputs:
            seed = self._querier._seed("cold-start")
            numbers = NumbersOfRows(self._estimator, seed)
            with seeded(seed):
                rows = numbers.fit_transform(X_pool)
            self._notes += numbers.notes
            if rows is None:
                self._notes.append("the rows were drawn at random")
                self.strategy = Random()
                return outputs, None
            outputs = _as_outputs(rows, needs, None)
            scaling = outputs.scaling
        if needs.ids:
            outputs = replace(outputs, identify=partial(row_ids, X_pool))
        if not needs.labeled or not self._querier._n_labeled():
            return outputs, None
        kept = self._querier._labeled.lent()
        known = Outputs(n_rows=len(kept.y))
        if numbers is not None:
            with rows_among(of="X_labeled_"):
                known = _as_outputs(numbers.transform(kept.X), needs, scaling)
        ids = row_ids(kept.X) if needs.ids else None
        return outputs, Labeled(known, kept.y, None, ids)

    @property
    def notes(self):
        """What was done, and what instead of what a model allows; a tuple of str."""
        why = "no model is trained yet"
        if self._querier.__sklearn_is_fitted__():
            why = "the model knows one class only"
        said = f"{why}: {self.strategy} selected by the rows alone"
        if self._stands_in():
            said += f", and {self._named} was not used"
        return (said, *self._notes)

    @property
    def warning(self):
        """The same as a sentence; None if the named strategy has selected after all."""
        return as_sentence(self.notes) if self._stands_in() else None

    def _stands_in(self):
        """Whether another strategy than the named one selects."""
        return not fingerprint(self.strategy).is_same(fingerprint(self._named))


def as_sentence(notes):
    """What a warning says of some notes; None of none."""
    said = "; ".join(notes)
    return f"{said[0].upper()}{said[1:]}." if said else None


def _as_outputs(rows, needs, scaling):
    """Numbers as the features and inputs of rows, columns standardised."""
    rows, scaling = standardized(
        input_rows(rows, needs.sparse), scaling, takes_missing=True
    )
    bad = not_finite_rows(rows)
    if bad is not None:
        raise row_error(
            "A cold start compares rows by their columns, and these hold NaN or "
            f"infinite values for {bad.sum()} of {len(bad)} rows, the first is row "
            "{row}. Replace them, or set `cold_start='random'`, which compares none.",
            bad.argmax(),
        )
    return Outputs(
        features=rows if needs.features else None,
        inputs=rows if needs.inputs else None,
        scaling=scaling,
        is_checked=True,
    )
