"""Batches that were asked for, with the answers."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.strategies import Badge, Margin

X, y = make_classification(
    600, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0
)
NAMES = np.array(["ant", "bee", "cat"])
POWER = Margin(noise="power", distinct=False, uniform_share=0.2)


def asked(estimator=None, strategy=None, *, labels=y, n=30, seed=0, rows=X, **options):
    """A querier trained on 60 rows, a batch of the others' report, and answers."""
    querier = BadgeQuerier(
        LogisticRegression() if estimator is None else estimator,
        strategy=Badge(uniform_share=0.2) if strategy is None else strategy,
        random_state=seed,
    )
    querier.fit(rows[:60], labels[:60])
    picks, report = querier.query(rows[60:], n, return_report=True, **options)
    return querier, report, labels[60:][picks]


def frozen():
    """A model that judges labelled rows as it is, so that all can be computed by hand.

    It has seen rows of each class, none of which is in the pool or labelled.
    """
    other, labels = make_classification(
        60, 6, n_informative=4, n_classes=3, flip_y=0.3, random_state=0
    )
    return FrozenEstimator(LogisticRegression().fit(other, labels))
