"""BatchBALD: rows whose labels together say most about the model's parameters."""

from numbers import Integral

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.samplers._base import fill_uniformly
from skbadge.strategies._base import Strategy
from skbadge.strategies._joint_information import (
    QUANTUM,
    Configurations,
    conditional_information,
    mutual_information,
)
from skbadge.utils._ties import Ties, equal_floor

FIRST_CANDIDATES = 16


class BatchBald(Strategy):
    r"""Rows whose labels, taken together, say most about the model's parameters.

    The mutual information of all selected rows' labels and the parameters is maximised
    greedily (Kirsch et al. [1]_, Algorithm 1). Where `Bald` takes several copies of one
    row, this counts what they have in common once. The greedy choice reaches at least
    1 - 1/e of the greatest joint information, up to sampling error.

    Pending rows count as selected: what a row adds is counted beyond their labels.

    Parameters
    ----------
    n_posterior : int, default=20
        Dropout masks to sample, for a net; at least 2. An ensemble has as many samples
        as members, whatever is asked for here; boosting at most as many as half of its
        stages. No selection can learn more than
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

    The more labels are known, the less a row adds. So what it once added bounds what it
    adds now, and only rows with bounds above the best are evaluated. With drawn
    configurations this holds up to their sampling error. The same draws serve all rows
    and all steps, and each row selected extends them; the authors' code draws anew at
    each step. Configurations are drawn from the mixture of the posterior samples, so
    that their importance weights are all equal. Of rows that add the same a random one
    is taken.

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

    def __init__(self, n_posterior: int = 20, *, n_configurations: int = 2000):
        self.n_posterior = n_posterior
        self.n_configurations = n_configurations

    @property
    def needs(self) -> Needs:
        """Posterior samples."""
        return Needs(n_posterior=self.n_posterior)

    def _run(self, pool, n, labeled, feasible, rng):
        greedy = _Greedy(pool.posterior, feasible, self.n_configurations, rng)
        rows, gains = greedy.select(n)
        return fill_uniformly(
            rows,
            gains,
            n,
            greedy.open_rows,
            rng,
            value_name="gain in mutual information",
            found="have labels that tell posterior samples apart",
        )


class _Greedy:
    """The greedy selection of rows by the information of their labels, under way.

    Parameters
    ----------
    posterior : ndarray of shape (n_posterior, n_rows, n_classes)
        Class probabilities of the pool's rows.

    feasible : Feasible
        Which of them may be selected.

    n_configurations : int
        Number of configurations above which as many are drawn.

    rng : RandomState
        Source of randomness.

    Attributes
    ----------
    open_rows : OpenRows
        The rows that may be selected next.

    bounds : ndarray of float64
        At least the information that each row adds to that of the rows so far. It
        falls with each row, but for the sampling error of drawn configurations.
    """

    def __init__(self, posterior, feasible, n_configurations, rng):
        self.posterior = posterior
        self.open_rows = feasible.open()
        self.n_configurations = n_configurations
        self.rng = rng
        self.ties = Ties(rng)
        self.known = []
        self.configurations = Configurations.of_no_rows(len(posterior))
        self.bounds = mutual_information(posterior)
        # Bounds hold beyond any labels, those of pending rows as well.
        for row in feasible.pending:
            self._know(row)

    def select(self, n):
        """Select rows, ``n`` or all that tell something, and return their gains too."""
        rows, gains = [], []
        while len(rows) < n:
            row = self._next()
            if self.bounds[row] <= QUANTUM:
                break
            rows.append(row)
            gains.append(float(self.bounds[row]))
            self.open_rows.close(row)
            if len(rows) < n:
                self._know(row)
        return rows, gains

    def _know(self, row):
        """Let the label of a row be known."""
        self.known.append(row)
        self.configurations = self.configurations.with_row(
            self.posterior, self.known, self.n_configurations, self.rng
        )

    def _next(self):
        """The open row of greatest gain, by evaluating rows as far as bounds demand.

        The bounds of the rows evaluated become their gains.
        """
        # With no label known, the bounds are the gains.
        is_settled = np.full(len(self.bounds), not self.known)
        best, n_candidates = -np.inf, FIRST_CANDIDATES
        while not is_settled.all():
            # All that may be the best, or equal to it but for rounding.
            in_play = self.open_rows.mask & ~is_settled
            candidates = np.flatnonzero(in_play & (self.bounds >= self._floor(best)))
            if not len(candidates):
                break
            if len(candidates) > n_candidates:
                order = np.argpartition(-self.bounds[candidates], n_candidates)
                candidates = candidates[order[:n_candidates]]
            # I(y_x; w | y_S), the joint information with the row less that without.
            gains = conditional_information(
                self.configurations, self.posterior, candidates
            )
            self.bounds[candidates] = gains
            is_settled[candidates] = True
            best = max(best, gains.max())
            # A block that did not settle it is followed by one twice as large.
            n_candidates *= 2
        gains = np.where(self.open_rows.mask & is_settled, self.bounds, -np.inf)
        return self.ties.greatest(gains, dtype=self.posterior.dtype, quantum=QUANTUM)

    def _floor(self, best):
        return equal_floor(best, self.posterior.dtype, QUANTUM)
