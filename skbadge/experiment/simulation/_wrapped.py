"""The querier of a run, behind the Pipeline or search around it."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator

from skbadge.experiment.simulation._schedule import DRAWN
from skbadge.nn import TabularNetClassifier
from skbadge.outputs._pipeline import innermost
from skbadge.pools import check_masked_parts, read_inputs
from skbadge.querier import BadgeQuerier
from skbadge.querier._check_rows import is_bare_net
from skbadge.querier._cold_start import modelless_names, resolve_cold_start
from skbadge.querier._strategy_in_use import kind_of
from skbadge.strategies import get_strategy, get_strategy_names
from skbadge.utils._shown import shown
from skbadge.utils._streams import stream_seed
from skbadge.utils._validation import check_names


def estimator_of(querier):
    """The model that a `BadgeQuerier` trains: the default one, if none is named."""
    return TabularNetClassifier() if querier.estimator is None else querier.estimator


def prepare(querier, y, seed):
    """A clone of a querier, or of a Pipeline or search around one, ready to run.
    A querier without an estimator gets the default one. One without ``classes`` gets
    those of ``y``, for the first labels may miss some; a trained model knows its own.
    The seed, unless None, replaces the querier's ``random_state``. A ``random_state``
    of the estimator inside is left as it is; if None, it is seeded from this.
    """
    querier = clone(querier)
    inner = find_querier(querier)
    inner.set_params(estimator=estimator_of(inner))
    is_trained = any(
        isinstance(part, FrozenEstimator) for part in inner.get_params().values()
    )
    if inner.classes is None and is_classifier(inner) and not is_trained:
        inner.set_params(classes=np.unique(y))
    if seed is not None:
        inner.set_params(random_state=stream_seed(seed, "querier"))
    inner._take_labels_as_they_are()
    return querier


def with_strategy(querier, strategy):
    """A clone of a querier that asks by another strategy."""
    querier = clone(querier)
    find_querier(querier).set_params(strategy=strategy)
    return querier


def check_initial(querier, initial):
    """Raise unless ``initial`` says how a querier, or a model, comes by a start."""
    if isinstance(initial, str) and initial in DRAWN:
        return
    if isinstance(initial, str) and initial not in get_strategy_names():
        raise ValueError(
            f"`initial` must be one of {DRAWN}, or a strategy that needs no model: "
            f"{modelless_names(kind_of(querier))}. Got {initial!r} instead."
        )
    resolve_cold_start(initial, querier, "initial")
    inner = innermost(querier)
    model = inner.estimator if isinstance(inner, BadgeQuerier) else querier
    if isinstance(model, FrozenEstimator):
        raise ValueError(
            f"`initial` must be one of {DRAWN} for a trained model, which asks by the "
            f"strategy from the start. Got {shown(initial)} and a FrozenEstimator."
        )


def find_querier(querier):
    """The `BadgeQuerier` itself, behind its wrappers; a TypeError if there is none."""
    inner = innermost(querier)
    if not isinstance(inner, BadgeQuerier):
        raise TypeError(
            "`querier` must be a BadgeQuerier, or a Pipeline or search that ends in "
            f"one. Got {type(inner).__name__} at the end instead."
        )
    return inner


def model_of(querier):
    """The model that a `BadgeQuerier` trains, behind a Pipeline or search around it."""
    return estimator_of(find_querier(querier))


def rows_for(querier, X, name):
    """Rows as the querier will read them; an error if any is masked."""
    is_net = isinstance(querier, BadgeQuerier) and is_bare_net(estimator_of(querier))
    X = read_inputs(X) if is_net else X
    check_masked_parts(X, name)
    return X


def model_name(querier):
    """What to call the model behind a querier: the name of its class."""
    return type(innermost(model_of(querier))).__name__


def named_strategies(querier, strategies):
    """Strategies by the names they have in a result, the querier's own for None."""
    strategies = _with_names(querier, strategies)
    for strategy in strategies.values():
        # Raises if it is not known.
        get_strategy(strategy)
    return strategies


def _with_names(querier, strategies):
    if isinstance(strategies, Mapping):
        check_names(strategies, "strategies")
        return strategies
    if strategies is None:
        strategies = [find_querier(querier).strategy]
    if isinstance(strategies, str) or not np.iterable(strategies):
        raise TypeError(
            "`strategies` must be a list or a dict of strategies. Got "
            f"{shown(strategies)} instead."
        )
    strategies = list(strategies)
    names = [str(getattr(strategy, "__name__", strategy)) for strategy in strategies]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            "`strategies` must be some strategies that differ in their names; a dict "
            f"names them. Got {names}."
        )
    return dict(zip(names, strategies, strict=True))
