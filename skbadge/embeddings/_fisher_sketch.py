"""Sketches of Fisher embeddings, where there are too many parameters."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skbadge.utils._typing import RandomState


class FisherSketch:
    r"""A random linear map of roots to few columns that keeps products on average.

    A line :math:`s \otimes z` becomes :math:`\sqrt q\, (R_1 s) \circ (R_2 z)` with
    independent Gaussian :math:`R_1, R_2` of variance :math:`1 / q` (the sketch of
    product kernels of Holzmüller et al. [1]_, section 3.2), or :math:`s R_2 z` where
    there is one output. Inner products are unbiased, with a variance of order
    :math:`1 / q`.

    Parameters
    ----------
    n_outputs, width : int
        Lengths of :math:`s` and of :math:`z`.

    n_columns : int
        The number of columns :math:`q`.

    random_state : None, int or RandomState, default=None
        Source of randomness. Rows that are compared need the same sketch.

    References
    ----------
    .. [1] D. Holzmüller, V. Zaverkin, J. Kästner, I. Steinwart. "A framework and
       benchmark for deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skbadge.embeddings import FisherSketch, fisher_embedding
    >>> proba, features = np.full((5, 3), 1 / 3), np.ones((5, 4))
    >>> fisher = fisher_embedding(proba, features)
    >>> FisherSketch(2, 4, 8, random_state=0)(fisher).shape  # two roots of 3 classes
    (5, 2, 8)
    """

    def __init__(
        self,
        n_outputs: int,
        width: int,
        n_columns: int,
        *,
        random_state: RandomState = None,
    ):
        rng = check_random_state(random_state)
        scale = 1 / np.sqrt(n_columns)
        if n_outputs == 1:
            self.left = np.ones((1, n_columns))
        else:
            # The factor sqrt(q) cancels the variance of one of the two maps.
            self.left = rng.normal(size=(n_outputs, n_columns))
        self.right = rng.normal(size=(width, n_columns)) * scale

    def __call__(self, fisher) -> NDArray[np.float64]:
        """Sketched roots of a `FactoredFisher`, of shape (n_rows, rank, q)."""
        # A line of the root is a line of S beside the one z: (R_1 s) o (R_2 z).
        return (fisher.roots @ self.left) * (fisher._vectors() @ self.right)[:, None, :]
