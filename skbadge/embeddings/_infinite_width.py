"""Kernels of ReLU nets of infinite width: at random weights, and of their training."""

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from skbadge._compat import Interval
from skbadge.embeddings._arc_cosine import relu_sq_dists, step_sq_dists
from skbadge.embeddings._input_kernel import InputKernelEmbedding


class _ReLUKernelEmbedding(InputKernelEmbedding):
    """What both kernels share: the net they belong to."""

    _parameter_constraints = {
        "n_hidden_layers": [Interval(Integral, 0, None, closed="left")],
        "sigma_w": [Interval(Real, 0, np.inf, closed="neither")],
        "sigma_b": [Interval(Real, 0, np.inf, closed="left")],
    }

    def __init__(self, X, n_hidden_layers, sigma_w, sigma_b):
        self.n_hidden_layers = n_hidden_layers
        self.sigma_w = sigma_w
        self.sigma_b = sigma_b
        super().__init__(X)

    def _first_norms_sq(self, norms_sq):
        # k_0(x, x) = sigma_w^2 |x|^2 / d + sigma_b^2
        return norms_sq * (self.sigma_w**2 / self.X.shape[1]) + self.sigma_b**2

    def _next_norms_sq(self, norms_sq):
        # k_{l+1}(x, x) = sigma_w^2 T(k_l) + sigma_b^2, and T(k) = k / 2 for equal rows
        return norms_sq * (self.sigma_w**2 / 2) + self.sigma_b**2

    def _first_sq_dists(self, sq_dists):
        # Of k_0. The bias cancels in distances, here and in all layers.
        return sq_dists * (self.sigma_w**2 / self.X.shape[1])

    def _hidden_layers(self, sq_dists, a, b):
        """Yield squared distances of k_{l+1} and angles of k_l, for l = 0, 1, ..."""
        sq_dists = self._first_sq_dists(sq_dists)
        a, b = self._first_norms_sq(a), self._first_norms_sq(b)
        for _ in range(self.n_hidden_layers):
            # Of T(k_l), times sigma_w^2.
            sq_dists, theta = relu_sq_dists(sq_dists, a, b)
            sq_dists *= self.sigma_w**2
            yield sq_dists, theta
            a, b = self._next_norms_sq(a), self._next_norms_sq(b)


class NNGPEmbedding(_ReLUKernelEmbedding):
    r"""Rows in the space of the NNGP kernel of a fully connected ReLU net.

    The covariance of the outputs of an infinitely wide net at random weights [1]_. With
    :math:`T(k) = \mathbb E[\mathrm{relu}(u)\,\mathrm{relu}(v)]` for Gaussians
    :math:`u, v` of covariance :math:`k`,

    .. math::

        k_0(x, x') = \sigma_w^2\, x^\top x' / d + \sigma_b^2, \qquad
        k_{l+1} = \sigma_w^2\, T(k_l) + \sigma_b^2,

    for a net whose layers are
    :math:`\sigma_w W z / \sqrt{\mathrm{fan\_in}} + \sigma_b b` with standard normal
    :math:`W` and :math:`b`.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_inputs)
        Standardised inputs, kept without a copy if they are float32 or float64.

    n_hidden_layers : int, default=2
        At least 0; 0 is a linear model.

    sigma_w : float, default=0.2
        Scale of the weights, above 0. By default that of the ReLU net of the benchmark
        of Holzmüller et al. [2]_.

    sigma_b : float, default=0.0
        Scale of the biases at random weights, at least 0. The biases of the benchmark's
        net, as those of `skbadge.nn.NTKMLP`, start at 0.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or a parameter is out of its range.

    Notes
    -----
    The kernel is formed in float64 from distances: equal rows are at distance exactly
    0, and near duplicates keep their digits.

    References
    ----------
    .. [1] J. Lee, Y. Bahri, R. Novak, S. Schoenholz, J. Pennington, J. Sohl-Dickstein.
       "Deep neural networks as Gaussian processes". ICLR 2018.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import NNGPEmbedding
    >>> X = [[1.0, 0.0], [0.0, 1.0]]
    >>> embedding = NNGPEmbedding(X, n_hidden_layers=1, sigma_w=2.0, sigma_b=0.0)
    >>> embedding.cross(embedding).round(3)
    array([[4.   , 1.273],
           [1.273, 4.   ]])
    """

    def __init__(
        self,
        X: ArrayLike,
        *,
        n_hidden_layers: int = 2,
        sigma_w: float = 0.2,
        sigma_b: float = 0.0,
    ):
        super().__init__(X, n_hidden_layers, sigma_w, sigma_b)

    def _kernel_norms_sq(self, norms_sq):
        # k_L(x, x)
        norms_sq = self._first_norms_sq(norms_sq)
        for _ in range(self.n_hidden_layers):
            norms_sq = self._next_norms_sq(norms_sq)
        return norms_sq

    def _kernel_sq_dists(self, sq_dists, a, b):
        nngp = self._first_sq_dists(sq_dists)
        for layer, _ in self._hidden_layers(sq_dists, a, b):
            nngp = layer
        return nngp


class NTKEmbedding(_ReLUKernelEmbedding):
    r"""Rows in the space of the neural tangent kernel of a fully connected ReLU net.

    The inner products of the gradients of an infinitely wide net with respect to all
    its weights and biases [1]_. With :math:`k_l` the kernels of `NNGPEmbedding` and
    :math:`\theta_l` the angles in their spaces,

    .. math::

        \Theta_0 = k_0, \qquad
        \Theta_{l+1} = k_{l+1}
        + \sigma_w^2\, \Theta_l\, \frac{\pi - \theta_l}{2 \pi}.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_inputs)
        Standardised inputs, kept without a copy if they are float32 or float64.

    n_hidden_layers : int, default=2
        At least 0; 0 is a linear model.

    sigma_w : float, default=0.2
        Scale of the weights, above 0. By default that of the ReLU net of the benchmark
        of Holzmüller et al. [2]_.

    sigma_b : float, default=0.2
        Scale of the biases, at least 0. See the notes.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or a parameter is out of its range.

    Notes
    -----
    :math:`\sigma_b` scales two things at once: the biases at random weights, and the
    gradients with respect to them. In the benchmark's net, as in `skbadge.nn.NTKMLP`,
    biases start at 0 and are trained with the factor 0.2. The default 0.2 keeps the
    gradients of the biases, which are most of this kernel, and is about 3 % above that
    net's own kernel, for the random biases that the net lacks. With 0 those gradients
    are lost and the kernel is hundreds of times too small.

    The kernel is formed in float64 from distances and not from :math:`\arccos`, whose
    error at equal rows is 1e-8: equal rows are at distance exactly 0.

    References
    ----------
    .. [1] A. Jacot, F. Gabriel, C. Hongler. "Neural tangent kernel: convergence and
       generalization in neural networks". NeurIPS 2018.
    .. [2] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from skbadge.embeddings import NTKEmbedding
    >>> X = [[1.0, 0.0], [0.0, 1.0]]
    >>> embedding = NTKEmbedding(X, n_hidden_layers=1, sigma_w=2.0, sigma_b=0.0)
    >>> embedding.cross(embedding).round(3)
    array([[8.   , 1.273],
           [1.273, 8.   ]])
    """

    def __init__(
        self,
        X: ArrayLike,
        *,
        n_hidden_layers: int = 2,
        sigma_w: float = 0.2,
        sigma_b: float = 0.2,
    ):
        super().__init__(X, n_hidden_layers, sigma_w, sigma_b)

    def _tangent_norms_sq(self, norms_sq):
        """Yield Theta_0(x, x), Theta_1(x, x), ..."""
        norms_sq = tangent = self._first_norms_sq(norms_sq)
        yield tangent
        for _ in range(self.n_hidden_layers):
            norms_sq = self._next_norms_sq(norms_sq)
            # k_{l+1} + sigma_w^2 Theta_l (pi - 0) / (2 pi)
            tangent = norms_sq + (self.sigma_w**2 / 2) * tangent
            yield tangent

    def _kernel_norms_sq(self, norms_sq):
        *_, norms_sq = self._tangent_norms_sq(norms_sq)
        return norms_sq

    def _kernel_sq_dists(self, sq_dists, a, b):
        # Theta_0 = k_0
        tangent = self._first_sq_dists(sq_dists)
        layers = self._hidden_layers(sq_dists, a, b)
        norms = zip(self._tangent_norms_sq(a), self._tangent_norms_sq(b), strict=True)
        # There is one more norm than there are hidden layers: the output's own.
        for (nngp, theta), pair in zip(layers, norms, strict=False):
            # sigma_w^2 Theta_l (pi - theta_l) / (2 pi)
            tangent = step_sq_dists(tangent, theta, *pair)
            tangent *= self.sigma_w**2
            # + k_{l+1}
            tangent += nngp
        return tangent
