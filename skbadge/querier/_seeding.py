"""Seeds for all parts of a model that draw, wherever they are trained."""

import numpy as np
from sklearn.frozen import FrozenEstimator

from skbadge.nn._own_training import give_own_training
from skbadge.nn._tabular import TabularNetMixin
from skbadge.outputs._pipeline import is_search, is_skorch_net, sets_threshold, wrapped
from skbadge.utils._streams import stream_seed


def train_apart(estimator, original, seed):
    """Let the nets in a clone train by themselves, the frozen ones excepted.

    Members of an ensemble, and nets of which clones are trained, have a seed of their
    own: that may happen in other processes.
    """
    kept = {id(part) for part in original.get_params().values()}
    chain = wrapped(estimator)
    trains_clones = any(is_search(part) or sets_threshold(part) for part in chain)
    direct = None if trains_clones else chain[-1]
    params = {"": direct, **estimator.get_params()}
    for tried, model in _tried(estimator):
        inside = model.get_params()
        params |= {tried: model, **{f"{tried}__{key}": inside[key] for key in inside}}
    for name, net in sorted(params.items()):
        if not is_skorch_net(net) or id(net) in kept or (name and net is direct):
            continue
        # The library's own nets have a `random_state`.
        is_seeded = not name or seed is None or isinstance(net, TabularNetMixin)
        give_own_training(net, None if is_seeded else stream_seed(seed, name))


def set_random_states(estimator, seed):
    """Seed what is left unseeded, in an order that is the same in every process."""
    rng = np.random.RandomState(seed)
    params = estimator.get_params()
    for name in sorted(params):
        is_state = name == "random_state" or name.endswith("__random_state")
        if is_state and params[name] is None:
            estimator.set_params(**{name: int(rng.randint(2**31 - 1))})
    for name, model in _tried(estimator):
        set_random_states(model, stream_seed(seed, name))


def _tried(estimator):
    """The estimators among the values that searches try, each with a name."""
    for path, kind, i, grid, name in tried_values(estimator):
        for j, model in models_in(grid[name]):
            yield f"{path}__{kind}_{i}__{name}_{j}", model


def tried_values(estimator):
    """Where the values are that searches try.

    The path of the search, whether it has a `param_grid` or `param_distributions`, the
    number of the dict among these, the dict, and the name under which it has them.
    """
    for path, part in {"": estimator, **estimator.get_params()}.items():
        if not is_search(part):
            continue
        for kind in ("param_grid", "param_distributions"):
            grids = getattr(part, kind, None) or ()
            for i, grid in enumerate([grids] if isinstance(grids, dict) else grids):
                for name, values in grid.items():
                    # Of a distribution nobody knows the values.
                    if isinstance(values, list | tuple | np.ndarray):
                        yield path, kind, i, grid, name


def models_in(values):
    """Positions of the estimators among values, and these, but for the frozen ones."""
    for i, value in enumerate(values):
        is_model = hasattr(value, "get_params") and not isinstance(value, type)
        if is_model and not isinstance(value, FrozenEstimator):
            yield i, value
