"""Elementary symmetric polynomials in log space, and the draw they weigh."""

import numpy as np


def log_symmetric_polynomials(log_values, n):
    r"""Logarithms of the elementary symmetric polynomials of leading values.

    With :math:`e_l(\lambda_1, \dots, \lambda_j)` the sum over all subsets of ``l`` of
    the first ``j`` values of their products, by the recursion

    .. math:: e_l^{(j)} = e_l^{(j - 1)} + \lambda_j e_{l - 1}^{(j - 1)}

    of Kulesza and Taskar [1]_, Algorithm 7. All terms are positive, so that in log
    space nothing cancels and nothing overflows.

    Parameters
    ----------
    log_values : ndarray of shape (n_values,)
        Logarithms of positive values.

    n : int
        Greatest number of factors.

    Returns
    -------
    table : ndarray of shape (n_values + 1, n + 1)
        float64; entry ``(j, l)`` belongs to the first ``j`` values and ``l`` factors,
        and is ``-inf`` where ``l > j``.

    References
    ----------
    .. [1] A. Kulesza, B. Taskar. "Determinantal point processes for machine learning".
       Foundations and Trends in Machine Learning 5, 2012.
    """
    table = np.full((len(log_values) + 1, n + 1), -np.inf)
    table[:, 0] = 0.0
    for j, log_value in enumerate(log_values):
        table[j + 1, 1:] = np.logaddexp(table[j, 1:], table[j, :-1] + log_value)
    return table


def draw_by_product(log_values, n, rng):
    """Draw a subset of given size with probability proportional to its product.

    The first phase of exact sampling from a k-DPP: which eigenvectors take part.

    Parameters
    ----------
    log_values : ndarray of shape (n_values,)
        Logarithms of positive values.

    n : int
        Size of the subset, at most ``n_values``.

    rng : RandomState
        Source of randomness.

    Returns
    -------
    positions : ndarray of shape (n,)
        int64, ascending.
    """
    table = log_symmetric_polynomials(log_values, n)
    coins = np.log1p(-rng.random_sample(len(log_values)))
    positions = []
    for j in range(len(log_values), 0, -1):
        left = n - len(positions)
        if not left:
            break
        # The share of the subsets of `left` of the first j values that hold the last.
        log_share = log_values[j - 1] + table[j - 1, left - 1] - table[j, left]
        # With j values left for j places the share is 1, whatever the rounding.
        if left == j or coins[j - 1] < log_share:
            positions.append(j - 1)
    return np.array(positions[::-1], dtype=np.int64)
