"""Strategies that score rows one by one: the greatest scores, or a noisy draw."""

from abc import abstractmethod
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from skbadge._compat import Interval, StrOptions
from skbadge.outputs import Needs, Outputs
from skbadge.samplers._draws_by_score import draws_by_score
from skbadge.samplers._known_draws import UNIFORM_SHARE
from skbadge.samplers._picks_by_score import picks_by_score
from skbadge.samplers._row_sketch import Greatest, new_seed
from skbadge.samplers._score_noise import LOGS, NoiseKind, NoisyOrder
from skbadge.strategies._base import Strategy
from skbadge.utils._row_errors import row_error
from skbadge.utils._ties import Ties


class ScoreStrategy(Strategy):
    r"""A strategy that scores each row by itself and takes the greatest scores.

    A subclass implements `score`, which sees the pool alone: what looks at the labelled
    rows as well is a `Strategy`. Ties are broken at random: scores that agree in 12
    significant digits are equal.

    The parameters below are those of every score. A subclass with a constructor of its
    own has those that it takes there and stores; the others keep their defaults.

    Parameters
    ----------
    noise : {"power", "softmax", "softrank"} or None, default=None
        Rows of great score are often alike. With noise, ``n`` rows are drawn without
        replacement instead (stochastic batch acquisition, Kirsch et al. [1]_), with
        probability proportional to a weight of the score :math:`s`: "power"
        :math:`(s - s_0)^\beta` with the score's ``lower_bound`` :math:`s_0`, "softmax"
        :math:`e^{\beta s}`, "softrank" :math:`r^{-\beta}` with the rank :math:`r`, 1
        for the greatest score of the rows that may be selected. None takes the
        greatest. Ranks need all scores at once: with "softrank", a strategy does not
        select from outputs in chunks.

    beta : float, default=1.0
        Above 0. The greater, the nearer to the greatest scores. It says nothing without
        noise.

    distinct : bool, default=True
        Whether copies come last: a row of the same content as one selected before it,
        or pending, waits until no other row may be selected. Then second copies follow
        in the same order, then third ones. Rows are equal if their contents are; equal
        outputs do not make them so. Rows that have no identity, see `Outputs`, are all
        different.

    uniform_share : float, default=0.0
        With "power" or "softmax", the share of the rows that are drawn uniformly, from
        0 to 1. The report says with what probability each row was drawn, for
        `skbadge.monitoring.risk_estimate`, if ``distinct`` is False: copies that wait
        leave it unknown.

    Attributes
    ----------
    lower_bound : float
        The least score there may be, for ``noise="power"``: 0 unless a subclass says
        otherwise.

    Notes
    -----
    With noise, rows are those of greatest :math:`\ln (s - s_0)`, :math:`s` or
    :math:`-\ln r` plus a Gumbel number of scale :math:`1 / \beta`. The numbers belong
    to rows, so that pools in chunks have the same selections as in memory. Rows of
    weight 0 are selected if there are no others, uniformly, with a `QueryWarning`.

    About ``n`` rows are identified for ``distinct``, in a few microseconds each, of a
    pool in chunks about ``n`` of each chunk. More of them are, up to all, as far as
    there are copies among the rows of greatest score.

    References
    ----------
    .. [1] A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron, Y.
       Gal. "Stochastic batch acquisition: a simple baseline for deep active learning".
       TMLR 2023.

    Examples
    --------
    >>> from skbadge.strategies import ScoreStrategy
    >>> class Doubt(ScoreStrategy):
    ...     def score(self, pool):
    ...         return 1 - pool.proba.max(axis=1)
    >>> Doubt(noise="power", beta=4)
    Doubt(beta=4, noise='power')
    """

    _parameter_constraints: dict = {
        "noise": [StrOptions(set(LOGS)), None],
        "beta": [Interval(Real, 0, None, closed="neither")],
        "distinct": ["boolean"],
        **UNIFORM_SHARE,
    }

    # Those of subclasses whose constructors do not have them.
    noise: NoiseKind | None = None
    beta: float = 1.0
    distinct: bool = True
    uniform_share: float = 0.0

    lower_bound: float = 0.0

    def __init__(
        self,
        *,
        noise: NoiseKind | None = None,
        beta: float = 1.0,
        distinct: bool = True,
        uniform_share: float = 0.0,
    ):
        self.noise = noise
        self.beta = beta
        self.distinct = distinct
        self.uniform_share = uniform_share

    @property
    def needs(self) -> Needs | tuple[str, ...]:
        """Class probabilities."""
        return Needs(proba=True)

    @property
    def all_needs(self) -> Needs:
        """What the score needs, and identities of rows to tell copies by."""
        return Needs.of(self.needs) | Needs(ids=bool(self.distinct))

    @abstractmethod
    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Score the rows of a pool: the greater, the sooner to be labelled.

        Parameters
        ----------
        pool : Outputs
            What the model says about the pool.

        Returns
        -------
        scores : ndarray of shape (n_rows,)
            float64, without noise.
        """

    def checked_score(self, pool: Outputs) -> NDArray[np.float64]:
        """Score the rows, and make sure that each has one number.

        Parameters
        ----------
        pool : Outputs
            What the model says about the pool.

        Returns
        -------
        scores : ndarray of shape (n_rows,)
            float64.
        """
        scores = np.asarray(self.score(pool))
        if scores.shape != (len(pool),) or scores.dtype.kind not in "biuf":
            raise ValueError(
                f"The scores of {self} must be {len(pool)} numbers, one for each row. "
                f"Got dtype {scores.dtype} and shape {scores.shape}."
            )
        scores = scores.astype(np.float64, copy=False)
        wrong = np.flatnonzero(np.isnan(scores))
        if len(wrong):
            raise row_error(
                f"The scores of {self} must not be NaN. {len(wrong)} of {len(pool)} "
                "are, the first is that of row {row}.",
                wrong[0],
            )
        return scores

    @property
    def _has_weights(self):
        """Whether rows are drawn by weights that are those of single rows."""
        return self.noise in ("power", "softmax")

    def _validate_params(self):
        """Refuse a share of uniform draws that leaves probabilities unknown, too."""
        super()._validate_params()
        if self.uniform_share and not self._has_weights:
            raise ValueError(
                "`uniform_share` above 0 is for draws by noise='power' or 'softmax'. "
                f"Got noise={self.noise!r}."
            )
        if self.uniform_share and self.distinct:
            raise ValueError(
                "`uniform_share` above 0 is for distinct=False: copies that wait leave "
                "it unknown what a row was drawn with. Got distinct=True."
            )

    @property
    def streams(self) -> bool:
        """Rows are scored one by one. Ranks are those among all."""
        return self.noise != "softrank"

    def _scorer(self, pool, rng):
        """The function from `Outputs` to scores, after a look at all rows; picklable.

        ``pool`` may be in chunks, of which the function is then given one at a time.
        """
        return self.checked_score

    def _run_on_chunks(self, pool, n, labeled, feasible, rng):
        if not self.streams:
            return super()._run_on_chunks(pool, n, labeled, feasible, rng)
        return self._run(pool, n, labeled, feasible, rng)

    def _run(self, pool, n, labeled, feasible, rng):
        order = Greatest(Ties(rng))
        if self.noise is not None:
            order = NoisyOrder(
                self.noise, self.beta, self.lower_bound, order.ties, new_seed(rng)
            )
        score = self._scorer(pool, rng)
        is_known = self._has_weights and not self.distinct
        if is_known and (self.uniform_share or feasible.groups is None):
            share = self.uniform_share
            return draws_by_score(pool, score, n, feasible, order, share, rng)
        return picks_by_score(pool, score, n, feasible, order, distinct=self.distinct)
