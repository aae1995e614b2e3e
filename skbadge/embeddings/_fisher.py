"""Fisher embeddings of rows from probabilities and features."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from skbadge.embeddings._arrays import row_norms_sq
from skbadge.embeddings._checked import as_factor
from skbadge.embeddings._fisher_base import DenseFisher, FactoredFisher, FisherEmbedding
from skbadge.embeddings._fisher_sketch import FisherSketch
from skbadge.embeddings._gradient import check_columns_of_logit, check_proba
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array
from skbadge.utils._row_errors import row_error
from skbadge.utils._row_sums import row_sums_but

# Squares of squares of features must not overflow.
MAX_NORM_SQ = 1e60


def fisher_dimensions(n_classes, *, fisher="full", n_top_classes=2):
    """Shape of the roots of the logits' Fisher information.

    Parameters
    ----------
    n_classes : int
        Number of columns of the probabilities.

    fisher, n_top_classes
        See `fisher_embedding`.

    Returns
    -------
    rank, n_outputs : int
        Lines and columns.
    """
    if fisher not in ("full", "top_k", "binary"):
        raise ValueError(
            f"`fisher` must be 'full', 'top_k' or 'binary'. Got {fisher!r} instead."
        )
    if n_top_classes < 1:
        raise ValueError(f"`n_top_classes` must be >= 1. Got {n_top_classes} instead.")
    if fisher == "binary":
        return 1, 1
    n_outputs = max(n_classes, 2) - 1
    is_cut = fisher == "top_k" and n_top_classes <= n_outputs
    return n_top_classes if is_cut else n_outputs, n_outputs


def fisher_embedding(
    proba: ArrayLike,
    features: ArrayLike,
    *,
    include_bias: bool = False,
    one_logit: bool = False,
    fisher: Literal["full", "top_k", "binary"] = "full",
    n_top_classes: int = 2,
    sketch: FisherSketch | None = None,
) -> FisherEmbedding:
    r"""Roots of the Fisher information of the last layer, one for each row.

    For a softmax layer with input :math:`z` and probabilities :math:`p`, the Fisher
    information of the weights is :math:`(\mathrm{diag}\, p - p p^\top) \otimes
    z z^\top`, the expectation over labels drawn from :math:`p` of the outer product of
    the gradient with itself (Ash et al. [1]_). It is 0 in directions in which all
    logits change alike. So each root is given in ``n_classes - 1`` orthonormal
    coordinates of the rest. Regularisation by a multiple of the identity means the same
    in both.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes) or (n_rows,)
        Class probabilities, rows summing to 1. One column, or one dimension, is the
        probability of the positive class of a binary net with one logit.

    features : array-like of shape (n_rows, n_features)
        Input of the last linear layer. Finite.

    include_bias : bool, default=False
        Include the bias of the last layer among the parameters.

    one_logit : bool, default=False
        The two columns of ``proba`` come from one logit. Its Fisher information
        :math:`p (1 - p) z z^\top` is half of that of the softmax with the same
        probabilities.

    fisher : {"full", "top_k", "binary"}, default="full"
        "top_k" takes the expectation over the most probable classes only, their
        probabilities made to sum to 1; "binary" replaces the softmax by a Bernoulli
        variable, predicted class or not: :math:`\hat p (1 - \hat p) z z^\top` with
        :math:`\hat p = \max p` (both from Huseljic et al. [2]_).

    n_top_classes : int, default=2
        Number of classes for "top_k"; all, if there are fewer.

    sketch : FisherSketch or None, default=None
        Sketch the roots, a chunk of rows at a time.

    Returns
    -------
    embedding : FisherEmbedding of shape (n_rows, rank, n_parameters)
        Without a sketch, ``n_parameters`` is ``n_features + include_bias`` times 1
        (one logit, "binary") or ``n_classes - 1``, and ``rank`` is 1,
        ``n_top_classes`` or ``n_classes - 1``. It holds ``8 * rank * n_outputs`` bytes
        a row beyond the features, or ``8 * rank * n_columns`` with a sketch.

    Raises
    ------
    ValueError
        If ``proba`` holds anything but probabilities, ``features`` is not finite, the
        rows differ in number, or a parameter is none of those named.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural
       active learning with Fisher embeddings". NeurIPS 2021.
    .. [2] D. Huseljic, P. Hahn, M. Herde, L. Rauch, B. Sick. "Fast fishing:
       approximating BAIT for efficient and scalable deep active image
       classification". ECML PKDD 2024.

    Examples
    --------
    >>> from skbadge.embeddings import fisher_embedding
    >>> embedding = fisher_embedding([0.5, 0.8], [[2.0, 4.0], [1.0, 0.0]])
    >>> embedding.total_information()
    array([[1.16, 2.  ],
           [2.  , 4.  ]])
    """
    P, Z, one_logit = _check_input(proba, features, one_logit)
    rank, n_outputs = fisher_dimensions(
        P.shape[1], fisher=fisher, n_top_classes=n_top_classes
    )
    n_columns = n_outputs if sketch is None else sketch.right.shape[1]
    # Rows made of two precisions can be told apart by the lower one at best.
    dtype = np.float32 if np.float32 in (P.dtype, Z.dtype) else np.float64
    roots = new_array((len(P), rank, n_columns), np.float64)
    cost = (rank + 1) * P.shape[1] * 3 + rank * n_columns + Z.shape[1]
    for rows in row_chunks(len(P), cost, minimum=1):
        part = _logit_roots(P[rows].astype(np.float64), fisher, n_top_classes)
        if one_logit and fisher != "binary":
            # p (1 - p) of one logit is half of what the softmax has.
            part *= np.sqrt(0.5)
        if sketch is not None:
            part = sketch(FactoredFisher(part, Z[rows], include_bias=include_bias))
        roots[rows] = part
    if sketch is not None:
        return DenseFisher(roots, dtype)
    return FactoredFisher(roots, Z, include_bias=include_bias, dtype=dtype)


def _check_input(proba, features, one_logit):
    proba = np.asarray(proba)
    proba = as_factor(proba[:, None] if proba.ndim == 1 else proba, "proba")
    if proba.shape[1] == 1:
        proba, one_logit = np.hstack([1 - proba, proba]), True
    check_columns_of_logit(proba, one_logit)
    check_proba(proba)
    features = as_factor(features, "features")
    if len(proba) != len(features):
        raise ValueError(
            "`proba` and `features` must have the same number of rows. "
            f"Got {len(proba)} and {len(features)}."
        )
    norms_sq = row_norms_sq(features)
    # Written so that NaN fails as well.
    wrong = np.flatnonzero(~(norms_sq <= MAX_NORM_SQ))
    if len(wrong):
        raise row_error(
            f"`features` must be finite, with norms up to {np.sqrt(MAX_NORM_SQ):.0e}. "
            f"{len(wrong)} of {len(features)} rows are not, the first is row {{row}}.",
            wrong[0],
        )
    return proba, features, one_logit


def _logit_roots(proba, fisher, n_top_classes):
    """Roots of the logits' Fisher information, shape (n_rows, rank, n_outputs)."""
    if fisher == "binary":
        predicted = proba.max(axis=1)
        variance = predicted * row_sums_but(proba, proba.argmax(axis=1))
        return np.sqrt(variance)[:, None, None]
    if fisher == "top_k" and n_top_classes < proba.shape[1]:
        return _reduced(_top_roots(proba, n_top_classes))
    return _reduced(_softmax_roots(proba))


def _softmax_roots(proba):
    """Transposed Cholesky factors of ``diag(p) - p p^T``, of ``n_classes - 1`` lines.

    Line ``j`` is ``sqrt(p_j / (t_j t_{j+1})) (t_{j+1} e_j - sum_{i > j} p_i e_i)`` with
    ``t_j`` the sum of the probabilities from ``j`` on. All sums are of positive
    numbers, so a certain prediction, with 1 - p below rounding, keeps its digits.
    """
    n_classes = proba.shape[1]
    tails = np.cumsum(proba[:, ::-1], axis=1)[:, ::-1]
    # heads[:, j] is t_j, and tails[:, j] is t_{j+1}.
    heads, tails = tails[:, :-1], tails[:, 1:]
    # sqrt(p_j / t_j); a class behind which nothing is left has no line.
    shares = np.divide(proba[:, :-1], heads, out=np.zeros_like(heads), where=heads > 0)
    tails = np.sqrt(tails)
    inverse = np.divide(1.0, tails, out=np.zeros_like(tails), where=tails > 0)
    shares = np.sqrt(shares)
    # Off the diagonal, for i > j: -sqrt(p_j / (t_j t_{j+1})) p_i.
    roots = -(shares * inverse)[:, :, None] * proba[:, None, :]
    roots *= np.triu(np.ones((n_classes - 1, n_classes)), 1)
    # On the diagonal: sqrt(p_j / (t_j t_{j+1})) t_{j+1}.
    line = np.arange(n_classes - 1)
    roots[:, line, line] = shares * tails
    return roots


def _top_roots(proba, n_top_classes):
    """Lines ``sqrt(p_y) (e_y - p)`` for the most probable classes ``y``."""
    # Stable, so that of equally probable classes the first are taken.
    top = np.argsort(-proba, axis=1, kind="stable")[:, :n_top_classes]
    weights = np.take_along_axis(proba, top, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    roots = np.repeat(-proba[:, None, :], n_top_classes, axis=1)
    rows = np.arange(len(proba))
    for line in range(n_top_classes):
        # The entry of y itself is 1 - p_y.
        roots[rows, line, top[:, line]] = row_sums_but(proba, top[:, line])
    return np.sqrt(weights)[:, :, None] * roots


def _reduced(roots):
    """Lines that sum to 0 in ``n_classes - 1`` orthonormal coordinates.

    A Householder reflection takes the vector of ones to the last axis. The last
    coordinate of each line then becomes 0 and is left out.
    """
    n_classes = roots.shape[2]
    # With w = 1 / sqrt(K) - e_K and I - 2 w w^T / |w|^2, and lines that sum to 0.
    return roots[:, :, :-1] + roots[:, :, -1:] / (np.sqrt(n_classes) - 1)
