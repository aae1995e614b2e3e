"""Gradients of the expected log-likelihood: products of prior and posterior."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._product import ProductEmbedding
from skbadge.embeddings._scaled import scaled
from skbadge.embeddings.transforms._base import EmbeddingTransformer
from skbadge.embeddings.transforms._posterior import Posterior


class AcsGrad(EmbeddingTransformer):
    r"""Fisher-weighted inner products of the gradients of expected log-likelihoods.

    The kernel becomes

    .. math::

        k(x, x')\, k_{\mathrm{post}}(x, x') / \sigma^4,

    the transformation ``acs-grad`` of Holzmüller et al. [1]_, after the weighted Fisher
    inner product of Pinsler et al. [2]_ for the Gaussian likelihood.

    Parameters
    ----------
    sigma : float, default=1e-3
        Standard deviation of the noise, above 0.

    max_bytes : int, default=2**32
        Size above which to refuse to hold an array.

    Attributes
    ----------
    posterior_ : Posterior
        That of the labelled rows.

    Notes
    -----
    Put `Scale` before it for the paper's transformation. The released code multiplies
    the features by :math:`1 / \sigma^4` and so the kernel by its square; here, as in
    the formula, it is the kernel that is divided. The rules for which scale does not
    matter are not concerned.

    With ``D`` columns in feature space, the result is an `OuterProductEmbedding` of two
    float64 matrices of as many columns, which `Sketch` can project by its factors;
    otherwise a product of two kernels. All in float64.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.
    .. [2] R. Pinsler, J. Gordon, E. Nalisnick, J. M. Hernández-Lobato. "Bayesian batch
       active learning as sparse subset approximation". NeurIPS 2019.

    Examples
    --------
    >>> from skbadge.embeddings import AcsGrad, DenseEmbedding
    >>> acs = AcsGrad(sigma=1.0).fit(DenseEmbedding([[1.0, 0.0]]))
    >>> acs.transform(DenseEmbedding([[1.0, 0.0], [0.0, 2.0]])).norms_sq()
    array([ 0.5, 16. ])
    """

    _parameter_constraints: dict = {
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "max_bytes": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, sigma=1e-3, *, max_bytes=2**32):
        self.sigma = sigma
        self.max_bytes = max_bytes

    def _fit(self, labeled):
        posterior = Posterior(self.sigma, max_bytes=self.max_bytes)
        self.posterior_ = posterior.fit(labeled)

    def _transform(self, embedding):
        posterior = self.posterior_.transform(embedding)
        prior = embedding.astype(np.float64)
        if isinstance(posterior, DenseEmbedding):
            prior = prior.to_dense(max_bytes=self.max_bytes)
            product = OuterProductEmbedding(prior, posterior.matrix)
        else:
            product = ProductEmbedding(prior, posterior)
        return scaled(product, self.sigma**-2)
