"""What a model was before a training, put back if the training fails."""

from contextlib import contextmanager
from copy import deepcopy

import torch

from skbadge.outputs._pipeline import wrapped
from skbadge.utils._deep_copies import copied_attributes


@contextmanager
def put_back_if_it_fails(estimator):
    """Give a model back its weights, optimizer and history if the block raises."""
    parts = _parts(estimator)
    # The states of modules and optimizers are copied instead of the objects: these
    # refer to each other, and to tensors that cannot be copied.
    stateful = [part for part in parts if _has_state(part)]
    stateful += [value for part in parts for value in _attributes(part)]
    states = [(part, deepcopy(part.state_dict())) for part in _distinct(stateful)]
    memo = {id(part): part for part in [*parts, *stateful]}
    known = [
        (part, copied_attributes(part, memo)) for part in parts if not _has_state(part)
    ]
    try:
        yield
    except BaseException:
        for part, attributes in known:
            vars(part).clear()
            vars(part).update(attributes)
        for part, state in states:
            part.load_state_dict(state)
        raise


def _parts(estimator):
    """An estimator, the estimators in its parameters, and what it wraps, fitted."""
    found = [*wrapped(estimator), *estimator.get_params().values()]
    return _distinct(
        part
        for part in found
        if not isinstance(part, type)
        and (_has_state(part) or hasattr(part, "get_params"))
    )


def _attributes(part):
    """The modules and optimizers that are attributes of an estimator."""
    if _has_state(part):
        return []
    return [value for value in vars(part).values() if _has_state(value)]


def _has_state(part):
    return isinstance(part, torch.nn.Module | torch.optim.Optimizer)


def _distinct(parts):
    return list({id(part): part for part in parts}.values())
