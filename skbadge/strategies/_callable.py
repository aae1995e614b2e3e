"""A user's function as a strategy."""

from collections.abc import Callable
from inspect import Parameter, signature

from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy

DEFAULT_NEEDS = Needs(proba=True, features=True, labeled=True)


class CallableStrategy(Strategy):
    """A function ``(pool, n, *, labeled, random_state) -> rows`` as a strategy.

    Parameters
    ----------
    function : callable
        Takes the pool's `Outputs`, ``n``, and by keyword the labelled rows (`Labeled`)
        and a ``RandomState``; returns ``n`` distinct int positions. If it has an
        attribute ``needs`` it receives just that, see `Strategy`; otherwise it
        receives probabilities, features and the labelled rows.

        The pool holds the rows that may be selected and no others. With groups or
        pending rows the function must take a further keyword ``feasible``, a
        `skbadge.samplers.Feasible`, and heed it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> def least_sure(pool, n, *, labeled, random_state):
    ...     return np.argsort(pool.proba.max(axis=1))[:n]
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(
    ...     LogisticRegression(), strategy=least_sure, random_state=0
    ... )
    >>> querier.fit(X[::10], y[::10]).query(X[1::10], n=3).shape
    (3,)
    """

    _parameter_constraints: dict = {"function": [callable]}

    def __init__(self, function: Callable):
        self.function = function

    def __sklearn_clone__(self):
        # The function, and what it holds, are the user's own.
        return CallableStrategy(self.function)

    @property
    def needs(self) -> Needs:
        """What the function needs of the model."""
        return Needs.of(getattr(self.function, "needs", DEFAULT_NEEDS))

    @property
    def _name(self):
        return getattr(self.function, "__name__", repr(self.function))

    def _validate_params(self):
        """Also refuse a function that cannot be called as a strategy."""
        super()._validate_params()
        try:
            # A wrapper is called, not what it wraps.
            form = signature(self.function, follow_wrapped=False)
        except (TypeError, ValueError):
            return
        options = ["labeled", "random_state"]
        options += ["feasible"] if _takes_feasible(self.function) else []
        try:
            form.bind("pool", "n", **dict.fromkeys(options))
        except TypeError as error:
            raise TypeError(
                f"The strategy {self._name} must be a function `(pool, n, *, labeled, "
                f"random_state) -> rows`. Called like that, it fails: {error}."
            ) from None

    def _run(self, pool, n, labeled, feasible, rng):
        options = {"labeled": labeled, "random_state": rng}
        if _takes_feasible(self.function):
            options["feasible"] = feasible
        elif not feasible.is_everything:
            raise ValueError(
                f"The strategy {self._name} must take a keyword `feasible` to be used "
                "with groups or pending rows: a skbadge.samplers.Feasible, which says "
                "what may be selected."
            )
        rows = self.function(pool, n, **options)
        return Selection(feasible.check(rows, n, f"The strategy {self._name}"))


def _takes_feasible(function):
    """Whether a function has a parameter for what may be selected."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        item.name == "feasible" or item.kind is Parameter.VAR_KEYWORD
        for item in parameters
    )
