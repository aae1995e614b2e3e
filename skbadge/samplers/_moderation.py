"""Factors that bring embeddings of extreme norms near 1."""

import numpy as np

# Greatest norms between this and its inverse leave room for products of products.
MODERATE_NORM = 1e30


def moderating_factor(*embeddings):
    """A power of two that brings the greatest norm near 1; 1.0 where there is no need.

    Products with it are exact.
    """
    norms_sq = [part.norms_sq().max(initial=0.0) for part in embeddings]
    greatest = np.sqrt(max(norms_sq))
    if greatest == 0 or 1 / MODERATE_NORM <= greatest <= MODERATE_NORM:
        return 1.0
    return float(np.ldexp(1.0, -int(np.round(np.log2(greatest)))))
