"""Random projections of embeddings to a number of columns of one's choice."""

from functools import singledispatch
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._kronecker_sketch import KroneckerSketch
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._stacked import StackedEmbedding
from skbadge.utils._chunks import row_chunks


def sketch(embedding, n_features, *, random_state=None):
    r"""Project an embedding to fewer columns, keeping inner products on average.

    A dense embedding :math:`x` becomes :math:`R x`, with independent entries of
    :math:`R` from :math:`N(0, 1 / q)`, :math:`q` being ``n_features``. An outer product
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

    n_features : int
        Columns of the sketch, at least 1.

    random_state : None, int or RandomState
        Source of the projections.

    Returns
    -------
    sketched : DenseEmbedding of shape (n_rows, n_features)
        In the dtype of ``embedding``.

    Raises
    ------
    ValueError
        If ``n_features`` is not a positive int, or an embedding has no columns, as
        those of infinitely wide nets.

    Notes
    -----
    For factors of ``n_left`` and ``n_right`` columns the projections hold
    ``n_features * (n_left + n_right)`` numbers, and the time is
    ``O(n_rows * n_features * (n_left + n_right))``. Beyond the projections and the
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
    if isinstance(n_features, bool) or not isinstance(n_features, Integral):
        raise ValueError(f"`n_features` must be an int >= 1. Got {n_features!r}.")
    if n_features < 1:
        raise ValueError(f"`n_features` must be an int >= 1. Got {n_features}.")
    rng = check_random_state(random_state)
    return DenseEmbedding(_sketched(embedding, int(n_features), rng))


@singledispatch
def _sketched(embedding, n_features, rng):
    embedding._require_columns()
    directions = rng.standard_normal((embedding.shape[1], n_features))
    directions /= np.sqrt(n_features)
    return embedding.project(directions).astype(embedding.dtype, copy=False)


@_sketched.register
def _(embedding: OuterProductEmbedding, n_features, rng):
    widths = embedding.left.shape[1], embedding.right.shape[1]
    project = KroneckerSketch(
        [widths], n_features, random_state=rng, dtype=embedding.dtype
    )
    products = np.empty((len(embedding), n_features), dtype=embedding.dtype)
    for rows in row_chunks(len(embedding), n_features):
        products[rows] = project([(embedding.left[rows], embedding.right[rows])])
    return products


@_sketched.register
def _(embedding: StackedEmbedding, n_features, rng):
    # Independent projections make the products across parts zero on average.
    total = np.zeros((len(embedding), n_features), dtype=embedding.dtype)
    for part in embedding.parts:
        total += _sketched(part, n_features, rng)
    return total
