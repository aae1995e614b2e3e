"""Gradients of the expected log-likelihood: products of prior and posterior."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.embeddings._dense import projected
from skbadge.embeddings._product import ProductEmbedding, row_products
from skbadge.embeddings._scaled import scaled
from skbadge.embeddings.transforms._base import EmbeddingTransformer
from skbadge.embeddings.transforms._posterior import Posterior


class AcsGrad(EmbeddingTransformer):
    r"""Fisher-weighted inner products of the gradients of expected log-likelihoods.

    The kernel becomes

    .. math::

        k(x, x')\, k_{\mathrm{post}}(x, x') / \sigma^4,

    the transformation ``acs-grad`` of Holzmüller et al. [1]_, after the weighted Fisher
    inner product of Pinsler et al. [2]_ for the Gaussian likelihood. Where nothing is
    labelled yet, :math:`k_{\mathrm{post}}` is :math:`k`.

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
    the features by :math:`1 / \sigma^4`, and so the kernel by its square. Here the
    kernel is divided, as in the formula. It makes no difference to rules that do not
    depend on the scale.

    With ``D`` columns in feature space, the result is an outer product of two float64
    matrices of ``D`` columns each, which `Sketch` can project by its factors. Otherwise
    it is a product of two kernels. All is in float64.

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

    def __init__(self, sigma: float = 1e-3, *, max_bytes: float = 2**32):
        self.sigma = sigma
        self.max_bytes = max_bytes

    def _fit(self, labeled, pool):
        posterior = Posterior(self.sigma, max_bytes=self.max_bytes)
        self.posterior_ = posterior.fit(labeled, pool)

    def _transform(self, embedding):
        posterior = self.posterior_.transform(embedding)
        if self.posterior_.space_ == "features":
            # phi(x) (x) phi_post(x): two matrices, where the rows are.
            self.posterior_._check_bytes(*embedding.shape, "rows by columns")
            prior = projected(embedding, np.eye(embedding.shape[1]))
            posterior = prior if posterior is embedding else posterior
            product = row_products(prior, posterior)
        else:
            # k(x, x') k_post(x, x')
            product = ProductEmbedding(
                embedding.astype(np.float64), posterior.astype(np.float64)
            )
        # Rows times 1 / sigma^2 are the kernel times 1 / sigma^4.
        return scaled(product, self.sigma**-2)
