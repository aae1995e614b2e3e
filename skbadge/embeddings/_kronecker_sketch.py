"""A seeded random projection of layers' gradients, applied batch by batch."""

from collections.abc import Callable, Iterable
from copy import copy
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.utils import check_random_state

from skbadge._compat import Interval, validate_parameter_constraints
from skbadge.utils._memory import check_fits
from skbadge.utils._typing import RandomState

_POSITIVE_INT = [Interval(Integral, 1, None, closed="left")]


class KroneckerSketch:
    r"""A random linear map of sums of outer products to few columns, drawn once.

    The gradient of a net with respect to the weights of its linear layers has one block
    :math:`g_l \otimes x_l` a layer, of the output's gradient and the input. Its sketch,

    .. math::

        s = \sqrt q \sum_l (R_l g_l) \circ (S_l x_l),

    with independent entries of :math:`R_l, S_l` from :math:`N(0, 1 / q)`, needs the
    factors only [1]_. Inner products of sketches are unbiased estimates of those of the
    gradients. The layers add up to one vector. They do not stand side by side.

    The map is linear. It is applied to one batch after another, of the pool and of the
    labelled rows, and gradients are never held. With the same seed it is that of
    `sketch` for a `StackedEmbedding` of `OuterProductEmbedding`.

    Parameters
    ----------
    widths : sequence of (int, int)
        For each layer the widths of its two factors, ``(n_left, n_right)``.

    n_columns : int
        Columns of the sketch :math:`q`, at least 1.

    random_state : None, int or RandomState
        Source of the projections.

    dtype : {numpy.float32, numpy.float64}, default=numpy.float32
        Of the projections. They are drawn in float64 whatever the dtype, so that a seed
        stands for one map.

    Attributes
    ----------
    projections : list of (array of shape (n_left, q), array of shape (n_right, q))
        For each layer the transposes of :math:`R_l` and of :math:`\sqrt q\, S_l`.

    Raises
    ------
    ValueError
        If ``n_columns`` or a width is not a positive int, or there is no layer.

    Notes
    -----
    It holds ``q * sum(n_left + n_right)`` numbers, and a batch takes as many
    multiplications for each row.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023,
       section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings._kronecker_sketch import KroneckerSketch
    >>> rng = np.random.default_rng(0)
    >>> layers = [(rng.normal(size=(8, 3)), rng.normal(size=(8, 5)))]
    >>> layers += [(rng.normal(size=(8, 1)), rng.normal(size=(8, 4)))]
    >>> sketch = KroneckerSketch([(3, 5), (1, 4)], 16, random_state=0)
    >>> sketch(layers).shape
    (8, 16)
    """

    def __init__(
        self,
        widths: Iterable[tuple[int, int]],
        n_columns: int,
        *,
        random_state: RandomState = None,
        dtype: DTypeLike = np.float32,
    ):
        widths = list(widths)
        if not widths:
            raise ValueError("`widths` must have at least one pair. Got none.")
        given = [("widths", width) for pair in widths for width in pair]
        for name, value in [("n_columns", n_columns), *given]:
            validate_parameter_constraints(
                {name: _POSITIVE_INT}, {name: value}, "KroneckerSketch"
            )
        rng = check_random_state(random_state)
        self.n_columns = int(n_columns)
        total = sum(left + right for left, right in widths)
        check_fits(
            8 * self.n_columns * total,
            f"The random map of {total} numbers of a row to {n_columns} columns",
            "Take fewer `n_columns`, or a step before the model that makes X narrower.",
        )
        self.projections = [
            self._draw(left, right, rng, np.dtype(dtype)) for left, right in widths
        ]

    def _draw(self, n_left, n_right, rng, dtype):
        # Drawn in float64 whatever the dtype, so that a seed stands for one map.
        left, right = (
            rng.standard_normal((width, self.n_columns)).astype(dtype)
            for width in (n_left, n_right)
        )
        # R_l and S_l both have entries from N(0, 1 / q). The factor sqrt(q) of s
        # cancels the 1 / sqrt(q) of one of them.
        left /= np.sqrt(self.n_columns)
        return left, right

    @property
    def widths(self) -> list[tuple[int, int]]:
        """For each layer the widths of its two factors."""
        return [(len(left), len(right)) for left, right in self.projections]

    def convert(self, function: Callable[[np.ndarray], Any]) -> "KroneckerSketch":
        """The same map with its arrays converted, e.g. to tensors on a device.

        Parameters
        ----------
        function : callable
            Takes an array and returns whatever has ``@``, ``*``, ``+`` and ``shape``
            with the factors to come.

        Returns
        -------
        sketch : KroneckerSketch
            A new one.
        """
        converted = copy(self)
        converted.projections = [
            (function(left), function(right)) for left, right in self.projections
        ]
        return converted

    def __call__(self, layers: Iterable[tuple[Any, Any]]) -> Any:
        """Sketch a batch of rows.

        Parameters
        ----------
        layers : sequence of (left, right)
            For each layer its factors for the rows of the batch, of shapes (n_rows,
            n_left) and (n_rows, n_right).

        Returns
        -------
        sketched : array of shape (n_rows, n_columns)
            Sum over the layers. Linear in the gradients, so that the sketch of a row
            does not depend on its batch but for rounding.

        Raises
        ------
        ValueError
            If there are not as many layers, or not as wide, as there should be.
        """
        layers = list(layers)
        got = [(left.shape[-1], right.shape[-1]) for left, right in layers]
        if got != self.widths:
            raise ValueError(
                f"`layers` must have factors of widths {self.widths}. Got {got}."
            )
        total = None
        for factors, projections in zip(layers, self.projections, strict=True):
            # (R_l g_l) o (sqrt(q) S_l x_l), of shape (n_rows, q)
            block = (factors[0] @ projections[0]) * (factors[1] @ projections[1])
            total = block if total is None else total + block
        return total
