"""BatchBALD: rows whose labels together say most about the model's parameters."""

import warnings
from numbers import Integral

import numpy as np

from skbadge._compat import Interval
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Needs
from skbadge.samplers import Selection
from skbadge.strategies._base import Strategy
from skbadge.strategies._joint_information import (
    Configurations,
    conditional_information,
    mutual_information,
)
from skbadge.utils._ranking import top_rows

# Differences in nats below which rounding alone tells rows apart.
ROUNDING = 1e-12

FIRST_CANDIDATES = 16


class BatchBald(Strategy):
    r"""Rows whose labels, taken together, say most about the model's parameters.

    Greedy maximisation of the mutual information of all selected rows' labels and the
    parameters (Kirsch et al. [1]_, Algorithm 1). Where `Bald` takes several copies of
    one row, this counts what they have in common once. The greedy choice reaches at
    least 1 - 1/e of the greatest joint information, up to sampling error.

    Parameters
    ----------
    n_posterior : int, default=20
        Dropout masks to sample, for a net; at least 2. An ensemble has as many samples
        as members, whatever is asked for here. No selection can learn more than
        ``log(n_posterior)``: ask for more samples when ``n`` is large.

    n_configurations : int, default=2000
        As long as the labels of the selected rows have no more joint configurations
        than this, all are enumerated. Beyond, as many are drawn, and the joint
        information is an estimate. Ten times the default takes about ten times as long
        and has not been seen to select better rows, as all rows share the draws.

    Notes
    -----
    The values of a selection are what each row added to the joint information, in
    nats; the first is its BALD score. Once nothing is left to learn, the remaining
    rows are drawn uniformly, with a `QueryWarning`.

    A row adds the less the more rows are there, so that what it once added bounds what
    it adds now, and only rows with bounds above the best are evaluated. With drawn
    configurations this holds up to their sampling error. The same draws serve all
    rows and all steps, and are extended by each row selected; the authors' code draws
    anew at each step. Their importance weights are all equal where the configurations
    are drawn from the mixture of the posterior samples, as they are here.

    A step takes ``O(n_evaluated * n_classes * n_configurations * n_posterior)`` time,
    practical to ``n`` of some tens. Memory beyond the posterior samples is below
    ``64 * n_configurations * n_posterior + 64 * n_rows`` bytes and one block of 8 MiB,
    or of one row's ``24 * (n_configurations + n_posterior) * n_classes`` bytes if that
    is more.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse
       batch acquisition for deep Bayesian active learning". NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.outputs import Outputs
    >>> from skbadge.strategies import BatchBald
    >>> first = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    >>> second = np.array([[0.8, 0.2], [0.2, 0.8], [0.8, 0.2], [0.2, 0.8]])
    >>> posterior = np.stack([first, first, second], axis=1)
    >>> rows = BatchBald().select(Outputs(posterior=posterior), 2, random_state=0)
    >>> 2 in rows  # the second row is a copy of the first
    True
    """

    _parameter_constraints: dict = {
        "n_posterior": [Interval(Integral, 2, None, closed="left")],
        "n_configurations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_posterior=20, *, n_configurations=2000):
        self.n_posterior = n_posterior
        self.n_configurations = n_configurations

    @property
    def needs(self) -> Needs:
        """Posterior samples."""
        return Needs(n_posterior=self.n_posterior)

    def _run(self, pool, n, labeled, feasible, rng):
        rows, gains = _greedy(pool.posterior, n, self.n_configurations, rng)
        fallbacks = ()
        missing = n - len(rows)
        if missing:
            left = np.setdiff1d(np.arange(len(pool)), rows)
            rows = [*rows, *rng.choice(left, missing, replace=False)]
            gains = [*gains, *np.zeros(missing)]
            message = (
                f"the labels of {n - missing} rows leave nothing to learn on which of "
                f"{len(pool.posterior)} posterior samples is right; the other "
                f"{missing} of {n} rows were drawn uniformly from the rest"
            )
            warnings.warn(
                message[0].upper() + message[1:] + ".", QueryWarning, stacklevel=2
            )
            fallbacks = (message,)
        return Selection(
            np.array(rows, dtype=np.int64),
            np.array(gains, dtype=np.float64),
            value_name="gain in mutual information",
            fallbacks=fallbacks,
        )


def _greedy(posterior, n, n_configurations, rng):
    """Rows one after another, each with the greatest gain, until there is none.

    Returns
    -------
    rows : list of int
        At most ``n``.

    gains : list of float
        What each added to the joint mutual information.
    """
    rows, gains = [], []
    if n == 0:
        return rows, gains
    bounds = mutual_information(posterior)
    configurations = Configurations.of_no_rows(len(posterior))
    row = int(top_rows(bounds, 1, rng)[0])
    while bounds[row] > ROUNDING:
        rows.append(row)
        gains.append(float(bounds[row]))
        bounds[row] = -np.inf
        if len(rows) == n:
            break
        configurations = configurations.with_row(posterior, rows, n_configurations, rng)
        row = _next_row(configurations, posterior, bounds, rng)
    return rows, gains


def _next_row(configurations, posterior, bounds, rng):
    """The row of greatest gain, by evaluating rows while their bounds allow it.

    ``bounds`` is updated with the gains of the rows evaluated; it is minus infinity for
    rows that are taken. Ties are broken at random.
    """
    settled = np.isneginf(bounds)
    best, n_candidates = -np.inf, FIRST_CANDIDATES
    while True:
        candidates = np.flatnonzero(~settled & (bounds >= best - ROUNDING))
        if not len(candidates):
            break
        if len(candidates) > n_candidates:
            order = np.argpartition(-bounds[candidates], n_candidates)
            candidates = candidates[order[:n_candidates]]
        gains = conditional_information(configurations, posterior, candidates)
        bounds[candidates] = gains
        settled[candidates] = True
        best = max(best, gains.max())
        n_candidates *= 2
    ties = np.flatnonzero(settled & (bounds >= best - ROUNDING))
    return int(rng.choice(ties))
