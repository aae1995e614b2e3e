"""Whether rounds can be held against a target."""

import numpy as np

from skbadge.exceptions import MonitoringWarning
from skbadge.monitoring.planning._forecast import LEAST_ROUNDS
from skbadge.utils._caller import warn_caller


def check_not_a_score(rounds, target):
    """Raise or warn if the error that is asked for looks like a score."""
    metrics = [one.assessment.metric for one in rounds if _is_of_score(one)]
    if not metrics:
        return
    if target >= 1:
        raise ValueError(
            f"`target` is an error: 0.05 for {metrics[0]} 0.95. Got {target!r} instead."
        )
    if target > 0.5:
        warn_caller(
            f"`target` is an error: {target:g} is reached with {metrics[0]} "
            f"{1 - target:.3g}. For {metrics[0]} {target:g}, take {1 - target:.3g}.",
            MonitoringWarning,
        )


def _is_of_score(one):
    return one.assessment is not None and one.assessment.is_score


def with_estimate(rounds):
    """Rounds with an error whose standard error is known, and that error.

    Raise if what a forecast lacks is not more rounds.
    """
    judged = [
        (one, one.error)
        for one in rounds
        if one.error is not None and np.isfinite(one.error.standard_error)
    ]
    if len(judged) < min(len(rounds), LEAST_ROUNDS):
        raise ValueError(
            f"A forecast needs at least {LEAST_ROUNDS} rounds with an estimate of the "
            f"error. Got {len(judged)}, of {len(rounds)} rounds in all. Print the "
            "Monitor: its notes say why others have none."
        )
    return judged
