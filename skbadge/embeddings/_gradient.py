"""Gradient embeddings: the last layer's gradient at the label the model predicts."""

import numpy as np
import torch
from numpy.typing import ArrayLike

from skbadge.embeddings._arrays import row_norms_sq
from skbadge.embeddings._base import Embedding
from skbadge.embeddings._checked import as_factor
from skbadge.embeddings._dense import DenseEmbedding
from skbadge.embeddings._factors import Matrix, as_matrix
from skbadge.embeddings._on_device import from_numpy
from skbadge.embeddings._outer import OuterProductEmbedding
from skbadge.embeddings._sparse import matrix_embedding
from skbadge.embeddings._stacked import StackedEmbedding
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import cast_array, filled_array, new_array
from skbadge.utils._row_sums import improper_rows, row_sums, tolerance

# Probabilities that are looked at at once.
BLOCK = 2**18


def gradient_embedding(
    proba: ArrayLike,
    features: ArrayLike | Matrix,
    *,
    include_bias: bool = False,
    one_logit: bool = False,
) -> Embedding:
    r"""Gradient of the loss at the predicted label with respect to the last layer.

    For the cross-entropy of a linear layer with input :math:`z` and softmax
    probabilities :math:`p`, the gradient with respect to the weights at the label
    :math:`\hat y = \arg\max p` is :math:`(p - e_{\hat y}) \otimes z`, equation (1) of
    Ash et al. [1]_. Its norm is a lower bound of the gradient's norm at the unknown
    true label (their Proposition 1). The embedding is held as its two factors.

    Parameters
    ----------
    proba : array-like of shape (n_rows, n_classes) or (n_rows,)
        Class probabilities, rows summing to 1. One column, or one dimension, is the
        probability of the positive class of a binary net with one logit.

    features : array-like or sparse matrix of shape (n_rows, n_features)
        Input of the last linear layer. A sparse one is not made dense.

    include_bias : bool, default=False
        Append the gradient with respect to the bias, :math:`p - e_{\hat y}`.

    one_logit : bool, default=False
        The two columns of ``proba`` come from one logit: take the gradient with
        respect to that logit. All inner products are then half of those of the
        softmax with the same probabilities. Rows at exactly 1/2 are an exception: they
        count as the positive class here, and as the first one there.

    Returns
    -------
    embedding : Embedding of shape (n_rows, n_outputs * (n_features + include_bias))
        ``n_outputs`` is 1 for one logit, ``n_classes`` otherwise.

    Raises
    ------
    ValueError
        If ``proba`` holds anything but probabilities, or the rows differ in number.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skbadge.embeddings import gradient_embedding
    >>> embedding = gradient_embedding([[0.25, 0.75]], [[2.0, 4.0]])
    >>> embedding.to_dense()
    array([[ 0.5,  1. , -0.5, -1. ]])
    """
    rows = matrix_embedding(as_matrix(features, "features"))
    return gradients_of(proba, rows, include_bias=include_bias, one_logit=one_logit)


def gradients_of(proba, features, *, include_bias, one_logit):
    """`gradient_embedding` of features as an embedding, whose norms may be known."""
    proba = np.asarray(proba)
    proba = as_factor(proba[:, None] if proba.ndim == 1 else proba, "proba")
    if proba.shape[1] == 1:
        proba = np.hstack([1 - proba, proba])
        one_logit = True
    check_columns_of_logit(proba, one_logit)
    residual_of = _one_logit_residual if one_logit else _softmax_residual
    residual, norms_sq = residual_of(proba)
    weights = OuterProductEmbedding(residual, features.matrix)
    if features._cached_norms_sq is not None:
        # |a (x) z|^2 = |a|^2 |z|^2
        weights._cached_norms_sq = norms_sq * features.norms_sq()
    if not include_bias:
        return weights
    return StackedEmbedding([weights, DenseEmbedding(residual)])


def check_columns_of_logit(proba, one_logit):
    """Raise if one logit has other probabilities than two."""
    if one_logit and proba.shape[1] != 2:
        raise ValueError(
            "With `one_logit=True`, `proba` must have the two columns of a binary "
            f"model, or one. Got {proba.shape[1]} columns."
        )


def check_proba(proba):
    """Raise unless rows are probabilities."""
    sums = row_sums(proba)
    wrong = np.flatnonzero(improper_rows(proba, sums))
    if len(wrong):
        raise ValueError(
            "`proba` must hold class probabilities: finite, non-negative, rows summing "
            f"to 1. {len(wrong)} of {len(proba)} rows do not; row {wrong[0]} is "
            f"{proba[wrong[0]]}."
        )


def _softmax_residual(proba):
    """The vectors p - e_yhat and their squared norms; raises for no probabilities."""
    n_rows, n_classes = proba.shape
    residual, norms_sq = new_array(proba.shape, proba.dtype), np.empty(n_rows)
    greatest, are_proper = 0.0, n_classes > 0
    for rows in row_chunks(n_rows if are_proper else 0, n_classes, BLOCK, minimum=1):
        block = from_numpy(np.ascontiguousarray(proba[rows]))
        out = torch.from_numpy(residual[rows])
        top = block.amax(1, keepdim=True)
        is_top = block == top
        if int(is_top.sum()) != len(block):
            # The first of several; looked for here only, for it takes longer.
            is_top.zero_().scatter_(1, block.argmax(1, keepdim=True), True)
        # 1 - p of the predicted class would cancel: a net trained to the end has p = 1
        # in float32. The sum of the others keeps its digits.
        others = torch.where(is_top, 0.0, block)
        total = others.sum(1, keepdim=True, dtype=torch.float64)
        torch.where(is_top, -total.to(block.dtype), others, out=out)
        norms = torch.linalg.vector_norm(out, dim=1, dtype=torch.float64)
        norms_sq[rows] = norms.square_().numpy()
        error = (total + top - 1).abs_().max()
        # Written so that NaN fails as well.
        are_proper &= bool((error <= tolerance(n_classes)) & (block.amin() >= 0))
        greatest = max(greatest, float(total.max()))
    if not are_proper:
        # Says which rows are wrong.
        check_proba(proba)
    # Squares of residuals below 2**-40 come near the end of float32's range.
    if n_rows and greatest < 2.0**-40:
        residual = cast_array(residual, np.float64)
    return residual, norms_sq


def _one_logit_residual(proba):
    """The numbers s - 1[s >= 1/2] and their squares, s that of the positive class."""
    check_proba(proba)

    def residual_of(rows):
        negative, positive = rows[:, :1], rows[:, 1:]
        return np.where(positive >= negative, -negative, positive)

    residual = filled_array((len(proba), 1), proba.dtype, residual_of, proba)
    if residual.size and np.abs(residual).max() < 2.0**-40:
        residual = cast_array(residual, np.float64)
    return residual, row_norms_sq(residual)
