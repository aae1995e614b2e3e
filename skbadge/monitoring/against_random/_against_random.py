"""Whether a strategy's model is better than one that learned from random rows."""

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_classifier

from skbadge._compat import Interval, validate_params
from skbadge.monitoring.against_random._paired import (
    mcnemar_test,
    sign_flip_test,
    tango_interval,
)
from skbadge.monitoring.against_random._random_comparison import (
    RandomComparison,
    rows_to_settle,
    verdict_of,
)
from skbadge.monitoring.assessing._answers import read_answers
from skbadge.monitoring.assessing._assessed import opened
from skbadge.monitoring.assessing._retrained import retrained
from skbadge.monitoring.estimates._intervals import alpha_of_look, t_interval
from skbadge.pools import is_dataset, n_rows, rows_among, take_rows
from skbadge.querier._codecs import is_pretrained
from skbadge.querier._labeled_rows import is_aligned
from skbadge.utils._streams import optional_seed
from skbadge.utils._typing import Rows

# In a pool that has copies, some random rows equal rows that the strategy chose.
MOST_KNOWN = 0.1


@validate_params(
    {
        "n_initial": [Interval(Integral, 0, None, closed="left")],
        "judge_share": [Interval(Real, 0, 1, closed="neither")],
        "margin": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "look": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }
)
def compare_with_random(
    querier: BaseEstimator,
    X_random: Rows,
    y_random: ArrayLike,
    *,
    n_initial: int,
    judge_share: float = 0.5,
    margin: float = 0.01,
    confidence: float = 0.95,
    look: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> RandomComparison:
    r"""Whether a strategy's model is better than one that learned from random rows.

    Some rows are drawn at random and labelled beside those that the strategy asks for,
    in each round or once. One part of them trains a random model, the other judges both
    models, row by row. Call it before the random rows are given to ``partial_fit``.

    Parameters
    ----------
    querier : BadgeQuerier
        Fitted, or a `~sklearn.pipeline.Pipeline` or search around it. It stays as it
        is.

    X_random : array-like of shape (n, n_features), or what the estimator takes
        Rows drawn uniformly from the pool, whatever the strategy chose. They must be in
        no call of ``fit`` and ``partial_fit`` so far.

    y_random : array-like of shape (n,) or (n, n_outputs)
        Their labels; None or NaN for a row that was skipped, which is left out.

    n_initial : int
        So many of the labelled rows, the first ones, were not chosen by the strategy.
        Both models learn from them. 0 compares the start as well.

    judge_share : float, default=0.5
        Share of the random rows that judge, and train neither model.

    margin : float, default=0.01
        Differences that do not matter: in accuracy, 0.01 for one point, or as a share
        of the mean absolute error of the random model.

    confidence : float, default=0.95
        Probability with which the interval holds the difference, and with which two
        equally good models are not called better and worse.

    look : int or None, default=None
        If the question is asked after each round until the answer pleases, some answer
        will be wrong. 1 for the first look, 2 for the second, and so on: the t-th is
        wrong with probability 6 (1 - confidence) / (π t)² at most, so that all together
        are as sure as ``confidence`` says. None for a single look.

    random_state : int, RandomState instance or None, default=None
        For the parts, the trainings and the test of numbers; None for the querier's.

    Returns
    -------
    comparison : RandomComparison
        With ``verdict``, ``difference``, ``low``, ``high`` and ``n_more``.

    Raises
    ------
    ValueError
        If more than a tenth of the random rows equal labelled ones, as if they had been
        learned from, the model is trained already, or rows are too few. Fewer that
        happen to be equal are left out.

    Notes
    -----
    With k random rows that train, one clone of the estimator is trained on the first
    ``n_initial`` labelled rows and these, the other on the first ``n_initial`` + k
    labelled rows, in the order in which they came. Without so many rows of the
    strategy, k is as many as there are, and more random rows judge.

    Classes are judged by McNemar's exact test, and by Tango's score interval for the
    difference of accuracies. Numbers are judged by the mean difference of absolute
    errors (with several outputs, of their mean): by a test that flips the signs of the
    rows' differences, and Student's interval for the ratio of two means (by the delta
    method).

    It is about these two models. Another random sample, or another seed, makes others,
    and the more so the fewer rows there are.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import compare_with_random
    >>> X, y = load_digits(return_X_y=True)
    >>> order = np.random.default_rng(0).permutation(len(X))
    >>> start, apart, pool = order[:30], order[30:230], order[230:]
    >>> querier = BadgeQuerier(LogisticRegression(max_iter=500), random_state=0)
    >>> querier = querier.fit(X[start], y[start])
    >>> rows = pool[querier.query(X[pool], n=100)]
    >>> querier = querier.partial_fit(X[rows], y[rows])
    >>> found = compare_with_random(querier, X[apart], y[apart], n_initial=30)
    >>> len(found.judges), found.n_trained
    (100, 130)
    >>> print(found)
    cannot tell yet whether it is better than random rows
      accuracy: 0... with 100 rows of the strategy, 0... with 100 random ones, ...
    """
    querier, X_random = opened(querier, X_random)
    _check(querier, n_initial)
    X_random, y, given_rows, notes = _read(querier, X_random, y_random)
    own = deepcopy(querier.random_state) if random_state is None else random_state
    seed = optional_seed(own, "against_random")
    rng = np.random.default_rng(seed)
    n_chosen = querier._n_labeled() - n_initial
    n_judges = min(max(round(judge_share * len(y)), 1), len(y) - 1)
    k = min(len(y) - n_judges, n_chosen)
    trains, judges = np.split(rng.permutation(len(y)), [k])
    known = querier._labeled
    first = known.without(np.arange(n_initial, len(known.y)))
    chosen = known.without(np.arange(n_initial + k, len(known.y)))
    drawn = first.extended(take_rows(X_random, trains), y[trains], {})
    try:
        by_chosen, by_drawn = (
            # Each gets a copy of the rows, on which it may write.
            retrained(querier, rows.lent(), take_rows(X_random, judges), seed).labels
            for rows in (chosen, drawn)
        )
    except Exception as error:
        error.add_note(
            "So it was when comparing with random rows: a clone of the estimator was "
            f"trained on {n_initial + k} of {len(known.y)} labelled rows, or on as "
            "many with random ones."
        )
        raise
    alpha = next_alpha = 1 - confidence
    if look is not None:
        alpha, next_alpha = alpha_of_look(alpha, look), alpha_of_look(alpha, look + 1)
    judge = _classes if is_classifier(querier) else _numbers
    found, variance = judge(y[judges], by_chosen, by_drawn, alpha, rng)
    ends, p_value = (found["low"], found["high"]), found["p_value"]
    verdict, n_more = verdict_of(found["difference"], ends, p_value, alpha, margin), 0
    if verdict == "cannot tell yet":
        needed = rows_to_settle(found["difference"], variance, next_alpha, margin)
        n_more = max(needed - len(judges), 1)
    return RandomComparison(
        verdict=verdict,
        alpha=alpha,
        margin=margin,
        judges=np.sort(given_rows[judges]),
        notes=notes,
        n_trained=n_initial + k,
        n_initial=n_initial,
        n_more=n_more,
        # Once all rows of the strategy are in use, all further random ones judge.
        n_more_labels=n_more if k == n_chosen else int(np.ceil(n_more / judge_share)),
        **found,
    )


def _check(querier, n_initial):
    """Raise if there are not two ways to train to be compared."""
    if is_pretrained(querier._estimator()):
        raise ValueError(
            "`querier` has a model that is trained already, and learns from no rows, "
            "neither chosen nor random ones. There is nothing to compare."
        )
    n_labeled = querier._n_labeled()
    if n_labeled <= n_initial:
        raise ValueError(
            "`n_initial` must be less than the number of labelled rows, as the others "
            f"are those that the strategy chose. Got {n_initial} of {n_labeled}."
        )
    rows = querier._labeled
    aligned = [name for name in rows.params if is_aligned(rows.params[name], rows.y)]
    if aligned:
        raise ValueError(
            "`querier` was fitted with parameters that have one entry for each row, "
            f"and random rows have none: {aligned}. Compare a querier without them."
        )


def _read(querier, X, y):
    """Random rows that count, their labels, positions as given, and what to say."""
    X = querier._check_X(X, reset=False, name="X_random")
    n, notes = n_rows(X), ()
    y, rows = read_answers(querier, y, n, "y_random")
    rows = np.flatnonzero(rows)
    is_known = np.zeros(n, bool)
    if not is_dataset(X):
        is_known = rows_among(X, querier._labeled.X)
    if is_known.mean() > MOST_KNOWN:
        raise ValueError(
            "`X_random` must hold rows that the model never learned from. Of "
            f"{n}, {is_known.sum()} equal labelled ones. Keep random rows out of `fit` "
            "and `partial_fit` until the comparison: labelled rows after the first "
            "`n_initial` must be those that the strategy chose."
        )
    if is_known.any():
        notes = (
            f"{is_known.sum()} of {n} random rows equal labelled ones, and were left "
            "out: the model knows them",
        )
    y, rows = y[~is_known[rows]], rows[~is_known[rows]]
    if len(y) < 2:
        raise ValueError(
            "`X_random` must have at least two rows with a label, one to train and one "
            f"to judge. Got {len(y)}."
        )
    return take_rows(X, rows), y, rows, notes


def _classes(y, chosen, drawn, alpha, rng):
    """What is seen of two classifiers, and the variance of a row's difference."""
    right, right_drawn = chosen == y, drawn == y
    n, n_won, n_lost = (
        len(y),
        (right & ~right_drawn).sum(),
        (right_drawn & ~right).sum(),
    )
    difference = (n_won - n_lost) / n
    low, high = tango_interval(n_won, n_lost, n, alpha)
    found = {
        "metric": "accuracy",
        "strategy_score": float(right.mean()),
        "random_score": float(right_drawn.mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "p_value": mcnemar_test(n_won, n_lost),
        "n_won": n_won,
        "n_lost": n_lost,
    }
    # One more row that tells them apart: none so far does not mean that none will.
    return found, (n_won + n_lost + 1) / (n + 1) - difference**2


def _numbers(y, chosen, drawn, alpha, rng):
    """What is seen of two regressors, and the variance of a row's difference."""
    losses, losses_drawn = (
        np.abs(np.asarray(each, dtype=np.float64) - y).reshape(len(y), -1).mean(axis=1)
        for each in (chosen, drawn)
    )
    unit = losses_drawn.mean() or losses.mean() or 1.0
    gains = (losses_drawn - losses) / unit
    difference = float(gains.mean())
    # D = 1 - L / L' is a ratio of two means, L and L' of the models' losses. Its error
    # is, to first order, that of the mean of (l' - l) / L' + D (1 - l' / L').
    terms = gains
    if losses_drawn.any():
        terms = gains + difference * (1 - losses_drawn / unit)
    low, high = t_interval(terms, alpha)
    found = {
        "metric": "mean absolute error",
        "strategy_score": float(losses.mean()),
        "random_score": float(losses_drawn.mean()),
        "difference": difference,
        "low": low,
        # Less than no error is left of no model.
        "high": min(high, 1.0),
        "p_value": sign_flip_test(gains, rng),
        "n_won": int((gains > 0).sum()),
        "n_lost": int((gains < 0).sum()),
    }
    return found, float(terms.var(ddof=1)) if len(y) > 1 else np.inf
