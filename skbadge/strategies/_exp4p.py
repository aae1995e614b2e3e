"""The bandit behind ALBL: EXP4.P over query strategies, and the reward it learns from.

Beygelzimer, Langford, Li, Reyzin, Schapire. "Contextual bandit algorithms with
supervised learning guarantees". AISTATS 2011. Weights are kept as logarithms.
"""

import numpy as np


def expert_probabilities(log_weights, p_min):
    """Probability of following each expert.

    Parameters
    ----------
    log_weights : ndarray of shape (n_experts,)
        Logarithms of the experts' weights, up to a common constant.

    p_min : float
        Floor of the probabilities, at most ``1 / n_experts``.

    Returns
    -------
    probabilities : ndarray of shape (n_experts,)
        At least ``p_min`` each, summing to 1.
    """
    weights = np.exp(log_weights - log_weights.max())
    shares = weights / weights.sum()
    return (1 - len(shares) * p_min) * shares + p_min


def importance_weighted_accuracy(weights, is_correct, n_items, n_draws):
    """Estimate a model's accuracy on all items from those that were drawn.

    With each item drawn with probability ``q > 0`` and weighted by ``1 / q``, the
    expectation over ``n_draws`` draws is the accuracy on all ``n_items``, whatever the
    probabilities were.

    Parameters
    ----------
    weights : array-like of shape (n_drawn,)
        One over the probability each drawn item was drawn with.

    is_correct : array-like of shape (n_drawn,)
        Whether the model is right about it.

    n_items : int
        Number of items there were to draw from.

    n_draws : int
        Number of draws the estimate is normalised by.

    Returns
    -------
    accuracy : float
        At least 0; single estimates may exceed 1.
    """
    total = np.dot(np.asarray(weights, float), np.asarray(is_correct, float))
    return float(total) / (n_items * n_draws)


def exp4p_exponents(reward, ratios, probabilities, *, p_min, delta, horizon):
    """What EXP4.P adds to the logarithms of the weights after some draws.

    The arms of the bandit are the experts.

    Parameters
    ----------
    reward : float
        The reward of the draws.

    ratios : ndarray of shape (n_draws, n_experts)
        Probability each expert gave the item that was drawn, over the probability the
        mixture gave it.

    probabilities : ndarray of shape (n_experts,)
        Probability of following each expert.

    p_min, delta, horizon : float
        Floor of the probabilities, probability with which the regret bound may fail,
        and number of draws it is for.

    Returns
    -------
    exponents : ndarray of shape (n_experts,)
        Averages over the draws, which are one step of the bandit.
    """
    n_experts = len(probabilities)
    confidence = np.sqrt(np.log(n_experts / delta) / (n_experts * horizon))
    return p_min / 2 * (reward * ratios.mean(axis=0) + confidence / probabilities)
