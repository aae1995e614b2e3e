"""Kernels of ReLU nets of infinite width: at random weights, and of their training."""

from numbers import Integral

from skbadge.embeddings._arc_cosine import relu_sq_dists, step_sq_dists
from skbadge.embeddings._input_kernel import InputKernelEmbedding, check_real


class _ReLUKernelEmbedding(InputKernelEmbedding):
    """What both kernels share: the net they belong to."""

    _parameters = ("n_hidden_layers", "sigma_w", "sigma_b")

    def __init__(self, X, *, n_hidden_layers=2, sigma_w=0.2, sigma_b=0.2):
        if isinstance(n_hidden_layers, bool) or not (
            isinstance(n_hidden_layers, Integral) and n_hidden_layers >= 0
        ):
            raise ValueError(
                f"`n_hidden_layers` must be an int >= 0. Got {n_hidden_layers!r}."
            )
        check_real(sigma_w, "sigma_w", positive=True)
        check_real(sigma_b, "sigma_b", positive=False)
        super().__init__(X)
        self.n_hidden_layers = n_hidden_layers
        self.sigma_w = sigma_w
        self.sigma_b = sigma_b

    def _first_norms_sq(self, norms_sq):
        return norms_sq * (self.sigma_w**2 / self.X.shape[1]) + self.sigma_b**2

    def _next_norms_sq(self, norms_sq):
        return norms_sq * (self.sigma_w**2 / 2) + self.sigma_b**2

    def _first_sq_dists(self, sq_dists):
        return sq_dists * (self.sigma_w**2 / self.X.shape[1])

    def _hidden_layers(self, sq_dists, a, b):
        """Yield the NNGP kernel's squared distances after each hidden layer.

        With them come the angles before it.
        """
        sq_dists = self._first_sq_dists(sq_dists)
        a, b = self._first_norms_sq(a), self._first_norms_sq(b)
        for _ in range(self.n_hidden_layers):
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

    sigma_w, sigma_b : float, default=0.2
        Scales of weights, above 0, and of biases, at least 0. By default those of the
        ReLU net of the benchmark of Holzmüller et al. [2]_.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or a parameter is out of its range.

    Notes
    -----
    Formed in float64 from distances, so that equal rows are at distance exactly 0 and
    near duplicates keep their digits.

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

    def _kernel_norms_sq(self, norms_sq):
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

    sigma_w, sigma_b : float, default=0.2
        Scales of weights, above 0, and of biases, at least 0. By default those of the
        ReLU net of the benchmark of Holzmüller et al. [2]_.

    Raises
    ------
    ValueError
        If ``X`` is not 2-D or has no columns, or a parameter is out of its range.

    Notes
    -----
    Formed in float64 from distances and not from :math:`\arccos`, whose error of 1e-8
    at equal rows the kernel would inherit: equal rows are at distance exactly 0.

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

    def _tangent_norms_sq(self, norms_sq):
        """Yield the kernel of rows with themselves, layer by layer."""
        norms_sq = tangent = self._first_norms_sq(norms_sq)
        yield tangent
        for _ in range(self.n_hidden_layers):
            norms_sq = self._next_norms_sq(norms_sq)
            tangent = norms_sq + (self.sigma_w**2 / 2) * tangent
            yield tangent

    def _kernel_norms_sq(self, norms_sq):
        *_, norms_sq = self._tangent_norms_sq(norms_sq)
        return norms_sq

    def _kernel_sq_dists(self, sq_dists, a, b):
        tangent = self._first_sq_dists(sq_dists)
        layers = self._hidden_layers(sq_dists, a, b)
        norms = zip(self._tangent_norms_sq(a), self._tangent_norms_sq(b), strict=True)
        # There is one more norm than there are hidden layers: the output's own.
        for (nngp, theta), pair in zip(layers, norms, strict=False):
            tangent = step_sq_dists(tangent, theta, *pair)
            tangent *= self.sigma_w**2
            tangent += nngp
        return tangent
