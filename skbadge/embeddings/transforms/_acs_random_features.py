"""Expected log-likelihoods at random weights of the posterior, as features."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from skbadge._compat import Interval
from skbadge.embeddings._arrays import row_norms_sq
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings.transforms._base import EmbeddingTransformer
from skbadge.embeddings.transforms._posterior import Posterior
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array
from skbadge.utils._typing import RandomState


def expected_log_likelihood(variances, deviations, sigma):
    r"""Expected log-likelihood of some weights, plus the entropy of the label.

    .. math::

        \tfrac12 \ln\bigl(1 + v / \sigma^2\bigr)
        - \frac{v + \delta^2}{2 \sigma^2}

    is the expectation of :math:`\ln p(y \mid x, \theta)` over the predictive
    distribution :math:`N(\mu, v + \sigma^2)` of :math:`y`, plus the entropy of that
    distribution, for weights :math:`\theta` that predict :math:`\mu + \delta`.

    ``variances`` are :math:`v >= 0`, and ``deviations`` are :math:`\delta`.
    """
    ratio = variances / sigma**2
    # ln(1 + v / s^2) / 2 - v / (2 s^2) - delta^2 / (2 s^2)
    return (np.log1p(ratio) - ratio - (deviations / sigma) ** 2) / 2


class AcsRandomFeatures(EmbeddingTransformer):
    r"""Expected log-likelihoods at random weights of the posterior, as features.

    With :math:`v(x)` the posterior variance given the labelled rows and
    :math:`\tilde\theta_i \sim N(0, \sigma^2 (\Phi_L^\top \Phi_L + \sigma^2 I)^{-1})`
    weights of the centred posterior, the features are
    :math:`q^{-1/2} (f(x, \tilde\theta_1), \ldots, f(x, \tilde\theta_q))`,

    .. math::

        f(x, \tilde\theta) = \tfrac12 \ln\Bigl(1 + \frac{v(x)}{\sigma^2}\Bigr)
        - \frac{v(x) + (\phi(x)^\top \tilde\theta)^2}{2 \sigma^2}.

    The transformation ``acs-rf`` of Holzmüller et al. [1]_, random features for the
    weighted Euclidean inner product of Pinsler et al. [2]_. Where nothing is labelled
    yet, the weights come from the prior :math:`N(0, I)`.

    Parameters
    ----------
    n_columns : int, default=512
        The number of random features :math:`q`, the columns of the result, at least 1.

    sigma : float, default=1e-3
        Standard deviation of the noise, above 0.

    random_state : None, int or RandomState, default=None
        Source of the weights.

    max_bytes : int, default=2**32
        Size above which to refuse to hold an array.

    Attributes
    ----------
    posterior_ : Posterior
        That of the labelled rows, in feature space.

    noise_ : ndarray of shape (n_columns_in, n_columns)
        Standard normal. ``posterior_.directions_ @ noise_`` are the weights.

    Notes
    -----
    Put `Scale` before it for the paper's transformation. Two departures from the
    released code: its weights lack the factor :math:`\sigma^2` in their covariance, and
    it divides by the number of columns that come in, not by :math:`q`. The variant with
    a prior on the noise is not here.

    Weights need columns. An embedding that is known by its inner products only is
    refused. The result is dense, float64, ``n_rows * n_columns`` numbers.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    .. [2] R. Pinsler, J. Gordon, E. Nalisnick, J. M. Hernández-Lobato. "Bayesian batch
       active learning as sparse subset approximation". NeurIPS 2019.

    Examples
    --------
    >>> from skbadge.embeddings import AcsRandomFeatures, DenseEmbedding
    >>> labeled = DenseEmbedding([[1.0, 0.0], [0.0, 1.0]])
    >>> acs = AcsRandomFeatures(8, sigma=0.1, random_state=0).fit(labeled)
    >>> acs.transform(DenseEmbedding([[1.0, 1.0], [2.0, 0.0], [0.0, 0.0]]))
    DenseEmbedding(shape=(3, 8))
    """

    _parameter_constraints: dict = {
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "max_bytes": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        n_columns: int = 512,
        *,
        sigma: float = 1e-3,
        random_state: RandomState = None,
        max_bytes: float = 2**32,
    ):
        self.n_columns = n_columns
        self.sigma = sigma
        self.random_state = random_state
        self.max_bytes = max_bytes

    def _fit(self, labeled, pool):
        rng = check_random_state(self.random_state)
        posterior = Posterior(self.sigma, space="features", max_bytes=self.max_bytes)
        self.posterior_ = posterior.fit(labeled, pool)
        self.noise_ = rng.standard_normal((self.n_columns_in_, self.n_columns))

    def _transform(self, embedding):
        features = new_array((len(embedding), self.n_columns), np.float64)
        width = max(embedding.shape[1], self.n_columns)
        for rows in row_chunks(len(embedding), width):
            # The rows sigma C^-1 phi(x) of the posterior: their squared norms are v(x),
            # and their products with standard normal noise are phi(x)^T theta.
            part = self.posterior_.transform(embedding.take(rows))
            part = part.astype(np.float64).to_dense()
            features[rows] = expected_log_likelihood(
                row_norms_sq(part)[:, None], part @ self.noise_, self.sigma
            )
        features /= np.sqrt(self.n_columns)
        return DenseEmbedding(features)
