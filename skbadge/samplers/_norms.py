"""What norms say about rows: whether products can be formed, and what rounding is."""

import numpy as np

from skbadge.embeddings._checked import check_finite

# Squared distances this small have lost digits to underflow.
LEAST_SQ_DIST = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)


def check_norms(embedding, name, first=0):
    """Raise unless products of the rows can be formed.

    ``first`` is the number of the first row, where they are a chunk of many.
    """
    check_finite(embedding, name, first)
    greatest = embedding.norms_sq().max(initial=0.0)
    if greatest > np.finfo(embedding.dtype).max / 16:
        raise ValueError(
            f"`{name}` has rows of norm {np.sqrt(greatest):.3g}, too large for "
            f"{embedding.dtype}. Standardise the model's input, or pass float64."
        )


def loses_digits(greatest, dtype):
    """Whether products of float32 would lose their digits to underflow.

    ``greatest`` is the greatest squared norm. Products are smaller than norms, and a
    factor's than those of the whole rows: hence the wide margin.
    """
    limits = np.finfo(np.float32)
    is_tiny = 0 < greatest < float(limits.tiny) / float(limits.eps) ** 2
    return dtype == np.float32 and is_tiny


def rounding_mass(total, n_rows, dtype):
    """Total squared distance that rounding alone can leave in place of zero.

    ``total`` is the sum of the squared norms. Rows equal but for the last digits are
    the same row: a net's outputs for equal inputs differ by as much, depending on where
    in a batch they stood.
    """
    relative = 32 * float(np.finfo(dtype).eps)
    return max(relative**2 * total, n_rows * LEAST_SQ_DIST)
