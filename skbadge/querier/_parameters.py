"""The parameters of a querier: what they stand for, and which cannot be together."""

from typing import Any, Self

from skbadge.querier._checks import check_estimator_kind
from skbadge.querier._cold_start import resolve_cold_start
from skbadge.querier._holding_labels import HoldingLabels
from skbadge.querier._strategy_in_use import kind_of, resolve_strategy
from skbadge.strategies import get_strategy
from skbadge.utils._place import check_storage


class Parametrized(HoldingLabels):
    """A querier's parameters, with those of the objects that they stand for."""

    def _check_parts(self, classes=None):
        """Refuse what cannot work before it has cost a training."""
        check_storage(self.storage)
        estimator = self._estimator()
        named = self.classes if classes is None else classes
        check_estimator_kind(estimator, named)
        resolve_strategy(self.strategy, estimator)
        resolve_cold_start(self.cold_start, estimator)

    def check_parameters(self) -> None:
        """Refuse an estimator and strategies that cannot work together.

        `fit` does this as well, and `query` before there is a model. Nothing is
        trained.

        Raises
        ------
        TypeError, ValueError
            Naming the parameter.
        """
        self._check_parts()

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the estimator and the strategies included.

        A name in place of a strategy, and None in place of the estimator, make way for
        the objects they stand for where a parameter of these is set:
        ``set_params(strategy__include_bias=True)``. What a name stands for is decided
        after all parameters of the estimator are set.

        Returns
        -------
        self : BadgeQuerier
            Itself.
        """
        if "classes" in params:
            self.__dict__.pop("_classes_as_named", None)
        for owner, resolve in (
            ("estimator", self._estimator),
            ("strategy", lambda: get_strategy(self.strategy, kind_of(self))),
            ("cold_start", lambda: resolve_cold_start(self.cold_start, self)),
        ):
            if owner in params:
                super().set_params(**{owner: params.pop(owner)})
            nested = [name for name in params if name.startswith(f"{owner}__")]
            before = getattr(self, owner)
            if nested:
                setattr(self, owner, resolve())
                try:
                    super().set_params(**{name: params.pop(name) for name in nested})
                except ValueError:
                    setattr(self, owner, before)
                    raise
        return super().set_params(**params)
