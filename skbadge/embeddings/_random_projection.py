"""Random projections of embeddings to a number of columns of one's choice."""

from functools import singledispatch
from numbers import Integral

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skbadge._compat import Interval, validate_parameter_constraints
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.utils._typing import RandomState

_CONSTRAINTS = {
    "n_columns": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}


def sketch(
    embedding: Embedding, n_columns: int, *, random_state: RandomState = None
) -> DenseEmbedding:
    r"""Project an embedding to fewer columns, keeping inner products on average.

    A dense embedding :math:`x` becomes :math:`R x`, with independent entries of
    :math:`R` from :math:`N(0, 1 / q)`, :math:`q` being ``n_columns``. An outer product
    becomes the Kronecker sketch :math:`\sqrt q\, (R_1 a) \circ (R_2 z)`, which costs no
    more than its factors [1]_. Embeddings side by side are sketched independently, and
    the sketches added. Inner products are unbiased. That of two outer products of norm
    1, with angles :math:`\alpha` and :math:`\beta` between their factors, has variance
    :math:`((1 + 2 \cos^2\alpha)(1 + 2 \cos^2\beta) - \cos^2\alpha \cos^2\beta) / q`.

    The map is linear and fixed by ``random_state`` and the numbers of columns: with
    the same seed, embeddings of the pool and of the labelled rows are sketched alike.
    A linear map never raises the rank.

    Parameters
    ----------
    embedding : Embedding of shape (n_rows, n_columns)
        What to project. Kinds other than those of this package are projected as if
        they were dense.

    n_columns : int
        Columns of the sketch, at least 1.

    random_state : None, int or RandomState
        Source of the projections.

    Returns
    -------
    sketched : DenseEmbedding of shape (n_rows, n_columns)
        In the dtype of ``embedding``, in main memory.

    Raises
    ------
    ValueError
        If ``n_columns`` is not a positive int, or the embedding has no columns, as
        those of infinitely wide nets.

    Notes
    -----
    For factors of ``n_left`` and ``n_right`` columns the projections hold
    ``n_columns * (n_left + n_right)`` numbers, and the time is
    ``O(n_rows * n_columns * (n_left + n_right))``. Beyond the projections and the
    result, blocks of bounded size are held.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings import OuterProductEmbedding, sketch
    >>> rng = np.random.default_rng(0)
    >>> embedding = OuterProductEmbedding(
    ...     rng.normal(size=(50, 10)), rng.normal(size=(50, 64))
    ... )
    >>> sketch(embedding, 100, random_state=0)
    DenseEmbedding(shape=(50, 100))
    """
    parameters = {"n_columns": n_columns, "random_state": random_state}
    validate_parameter_constraints(_CONSTRAINTS, parameters, "sketch")
    rng = check_random_state(random_state)
    return DenseEmbedding(sketched(embedding, int(n_columns), rng))


@singledispatch
def sketched(
    embedding: Embedding, n_columns: int, rng: np.random.RandomState
) -> NDArray:
    """The sketch of an embedding of any kind as an array, for valid input."""
    # R transposed, with entries from N(0, 1 / q).
    directions = rng.standard_normal((embedding._require_columns(), n_columns))
    directions /= np.sqrt(n_columns)
    return embedding.project(directions).astype(embedding.dtype, copy=False)
