"""EPIG: rows whose labels say most about the labels of rows that matter."""

from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr
from sklearn.utils.random import sample_without_replacement

from skbadge._compat import Interval
from skbadge.outputs import Outputs
from skbadge.pools import Inputs, n_rows, read_inputs
from skbadge.samplers._score_noise import NoiseKind
from skbadge.strategies._joint_information import BLOCK, normalized
from skbadge.strategies._posterior_score import PosteriorScore
from skbadge.utils._chunks import row_chunks
from skbadge.utils._shown import shown

# Decimals of a score in nats beyond which rounding alone tells rows apart.
DECIMALS = 12


class EPIG(PosteriorScore):
    r"""Rows whose labels say most about the labels of given target rows.

    Expected predictive information gain (Bickford Smith et al. [1]_): the mutual
    information of a row's label and that of a target, by the posterior samples, in the
    mean over the targets. Where `Bald` asks for what a label says about the model's
    parameters, this counts only what shows in predictions for the rows that matter.
    With class probabilities :math:`p_s` of the row and :math:`q_{ts}` of target
    :math:`t` by samples :math:`s`, the score is

    .. math:: \sum_t w_t \left[ H\left(\frac1S \sum_s p_s\right)
              + H\left(\frac1S \sum_s q_{ts}\right)
              - H\left(\frac1S \sum_s p_s q_{ts}^\top\right) \right],

    in nats, between 0 and ``log(n_classes)``; the weights sum to 1. It is 0 where
    samples do not differ, or differ in nothing that they say of the targets.

    Parameters
    ----------
    targets : array-like of shape (n_targets, n_features) or None, default=None
        The rows that predictions are to be good for, of the kind that the pool is of:
        an array, a data frame, or what else the estimator takes. They need no labels.
        Give them where the model will be used on other rows than the pool holds. None
        stands for rows of the pool.

    target_weights : array-like of shape (n_targets,) or None, default=None
        What each of the ``targets`` counts, at least 0 and not all 0, such as how often
        it is expected where the model will be used. None for equal weights.

    n_targets : int, default=100
        Where ``targets`` is None, the number of rows drawn uniformly from the pool, be
        they candidates or not.

    n_posterior : int, default=20
        Dropout masks to sample, for a net; at least 2. An ensemble has as many samples
        as members, whatever is asked for here.

    noise, beta, distinct, uniform_share
        As for `ScoreStrategy`.

    Notes
    -----
    Pool and targets are read with the same posterior samples: the same dropout masks,
    or the same members.

    With :math:`T` targets, :math:`K` classes and :math:`S` posterior samples, each row
    takes :math:`O(T K^2 S)` operations in a matrix product, and :math:`T K^2`
    logarithms. Beyond the posterior samples, blocks of 2 MiB are held, or of
    :math:`16 K^2` bytes if that is more. Scores are rounded to 12 decimals, as products
    in blocks tell equal rows apart by less.

    `score`, if called by itself with outputs that have no ``targets``, draws them with
    a fixed seed.

    References
    ----------
    .. [1] F. Bickford Smith, A. Kirsch, S. Farquhar, Y. Gal, A. Foster, T. Rainforth.
       "Prediction-oriented Bayesian active learning". AISTATS 2023.

    Examples
    --------
    The pool holds rows of two kinds, and the model will be used on one of them:

    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.strategies import EPIG
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2)) + np.repeat([[-4, 0], [4, 0]], 200, axis=0)
    >>> y = X[:, 1] > 0
    >>> left = np.arange(400) % 20 > 0
    >>> epig = EPIG(targets=rng.normal(size=(100, 2)) + [4, 0])
    >>> querier = BadgeQuerier(RandomForestClassifier(), strategy=epig, random_state=0)
    >>> rows = querier.fit(X[~left], y[~left]).query(X, n=10, candidates=left)
    >>> bool((rows >= 200).mean() > 0.5)
    True
    """

    _parameter_constraints: dict = {
        **PosteriorScore._parameter_constraints,
        "targets": ["array-like", "sparse matrix", None],
        "target_weights": ["array-like", None],
        "n_targets": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        targets: Any = None,
        *,
        target_weights: ArrayLike | None = None,
        n_targets: int = 100,
        n_posterior: int = 20,
        noise: NoiseKind | None = None,
        beta: float = 1.0,
        distinct: bool = True,
        uniform_share: float = 0.0,
    ):
        super().__init__(
            n_posterior,
            noise=noise,
            beta=beta,
            distinct=distinct,
            uniform_share=uniform_share,
        )
        self.targets = targets
        self.target_weights = target_weights
        self.n_targets = n_targets

    def _validate_params(self):
        """Also refuse weights that do not fit the targets."""
        super()._validate_params()
        if self.target_weights is None:
            return
        if self.targets is None:
            raise ValueError(
                "`target_weights` must be None if `targets` is None. Got "
                f"{shown(self.target_weights)}."
            )
        # A list of arrays may be rows, or the inputs of a net: the model tells.
        if not isinstance(read_inputs(self.targets), Inputs):
            self._weights_of(n_rows(self.targets))

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """In one line, of whatever kind and size the targets are."""
        params, defaults = self.get_params(), vars(EPIG())
        changed = [name for name in params if params[name] is not defaults[name]]
        return f"EPIG({', '.join(f'{name}={shown(params[name])}' for name in changed)})"

    @property
    def target_rows(self) -> Any:
        """The targets, if they are given."""
        return self.targets

    @property
    def reads_population(self) -> bool:
        """Whether targets are drawn from all of the pool."""
        return self.targets is None

    def score(self, pool: Outputs) -> NDArray[np.float64]:
        """Information on the targets' labels from that of each row, in nats."""
        return self._scorer(pool, RandomState(0))(pool)

    def _scorer(self, pool, rng):
        targets = self._targets_of(pool, rng)
        weights = self._weights_of(len(targets))
        return partial(_score, targets.posterior, weights)

    def _targets_of(self, pool, rng):
        """What the model says about the targets; ``pool`` may be in chunks."""
        if pool.targets is not None:
            return pool.targets
        if self.targets is not None:
            raise ValueError(
                "What the model says about `targets` must be read with the pool, as "
                "`BadgeQuerier.query` does if EPIG is its strategy. Got outputs "
                "without `targets`."
            )
        size = min(self.n_targets, len(pool))
        rows = sample_without_replacement(len(pool), size, random_state=rng)
        return pool.take(np.sort(rows))

    def _weights_of(self, n_targets):
        """Weights of the targets, float64 that sum to 1."""
        if self.target_weights is None:
            return np.full(n_targets, 1 / max(n_targets, 1))
        weights = np.asarray(self.target_weights, dtype=np.float64)
        if weights.shape != (n_targets,):
            raise ValueError(
                f"`target_weights` must be one number for each of the {n_targets} "
                f"targets. Got an array of shape {weights.shape}."
            )
        total = weights.sum()
        if not (np.isfinite(total) and total > 0 and weights.min() >= 0):
            raise ValueError(
                "`target_weights` must be finite numbers >= 0, not all of them 0. Got "
                f"a least one of {weights.min():.6g} and a sum of {total:.6g}."
            )
        return weights / total


def _score(targets, weights, outputs):
    return predictive_information(outputs.posterior, targets, weights)


def predictive_information(
    posterior: NDArray, targets: NDArray, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mutual information of each row's label with those of targets, in the mean.

    Parameters
    ----------
    posterior : ndarray of shape (n_posterior, n_rows, n_classes)
        Floating, rows sum to 1.

    targets : ndarray of shape (n_posterior, n_targets, n_classes)
        Likewise, by the same posterior samples.

    weights : ndarray of shape (n_targets,)
        float64, summing to 1.

    Returns
    -------
    information : ndarray of shape (n_rows,)
        float64 of 12 decimals, in nats, at least 0.
    """
    n_posterior, n_rows, n_classes = posterior.shape
    information = np.empty(n_rows)
    pairs = n_classes**2
    columns = list(row_chunks(len(weights), pairs, BLOCK // 16, minimum=1))
    width = max((part.stop - part.start for part in columns), default=1)
    cost = 2 * width * pairs + 2 * n_posterior * n_classes
    blocks = [(_flat(normalized(targets[:, part])), weights[part]) for part in columns]
    for rows in row_chunks(n_rows, cost, BLOCK, minimum=1):
        proba = normalized(posterior[:, rows])
        # H(mean p), once for all targets, as their weights sum to 1.
        total = entr(proba.mean(axis=0)).sum(axis=1)
        for target, weight in blocks:
            total += _of_targets(_flat(proba), target, weight, n_classes)
        information[rows] = total
    return np.maximum(np.round(information, DECIMALS), 0.0)


def _flat(proba):
    """One column for each row and class."""
    return proba.reshape(len(proba), -1)


def _of_targets(proba, target, weights, n_classes):
    """Weighted sum over targets of H(mean q) - H(mean p q^T), for each row."""
    # mean_s p_s q_s^T of all pairs in one product, (n_rows K, S) by (S, n_targets K).
    joint = proba.T @ target
    joint /= len(proba)
    shape = -1, n_classes, len(weights), n_classes
    joint_entropy = entr(joint).reshape(shape).sum(axis=(1, 3))
    marginal = entr(target.mean(axis=0)).reshape(-1, n_classes).sum(axis=1)
    return (marginal - joint_entropy) @ weights
