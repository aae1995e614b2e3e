"""Random projection as a transformation."""

from numbers import Integral

from sklearn.utils import check_random_state

from skbadge._compat import Interval
from skbadge.embeddings._random_projection import sketch
from skbadge.embeddings.transforms._base import EmbeddingTransformer
from skbadge.utils._typing import RandomState


class Sketch(EmbeddingTransformer):
    """Project to few columns at random, keeping inner products on average.

    The transformation ``rp`` of Holzmüller et al. [1]_, with one map for all that is
    transformed: see `skbadge.embeddings.sketch`, which it calls. The map is Gaussian
    for a matrix, Kronecker for outer products. The layers of a net and the members of
    an ensemble, side by side in a `StackedEmbedding`, are projected independently and
    added up to one vector of ``n_columns`` numbers.

    Parameters
    ----------
    n_columns : int, default=512
        Columns of the sketch, at least 1.

    random_state : None, int or RandomState, default=None
        Source of the projections. An int gives the map of `sketch` with that int.

    Attributes
    ----------
    seed_ : int
        Seed of the map.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings import DenseEmbedding, Sketch
    >>> X = np.random.default_rng(0).normal(size=(20, 100))
    >>> sketch = Sketch(10, random_state=0).fit(DenseEmbedding(X[:5]))
    >>> sketch.transform(DenseEmbedding(X))
    DenseEmbedding(shape=(20, 10))
    """

    _parameter_constraints: dict = {
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }
    needs_rows = False

    def __init__(self, n_columns: int = 512, *, random_state: RandomState = None):
        self.n_columns = n_columns
        self.random_state = random_state

    def _fit(self, labeled, pool):
        if isinstance(self.random_state, Integral):
            self.seed_ = int(self.random_state)
        else:
            rng = check_random_state(self.random_state)
            self.seed_ = int(rng.randint(2**31 - 1))

    def _transform(self, embedding):
        embedding._require_columns()
        return sketch(embedding, self.n_columns, random_state=self.seed_)
