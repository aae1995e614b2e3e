"""A new strategy is one file and one line: here are both, under the common checks."""

import sys

import numpy as np
import pytest

from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding
from skbadge.outputs import Needs
from skbadge.samplers import KMeansPlusPlus, Selection
from skbadge.strategies import Strategy, _registry, get_strategy, get_strategy_names
from tests.strategies import test_common as common


class Typical(Strategy):
    """In the manner of TypiClust: of each cluster in turn, the row nearest to all."""

    needs = Needs(features=True)
    reads_population = True

    def _run(self, pool, n, labeled, feasible, rng):
        if n == 0:
            return Selection(np.empty(0, dtype=np.int64))
        embedding, open_rows = DenseEmbedding(pool.features), feasible.open()
        seeds = KMeansPlusPlus().sample(embedding, n, random_state=rng)
        cluster, _ = embedding.nearest(embedding.take(seeds))
        spread = np.sqrt(embedding.sq_dists(embedding)).mean(axis=1)
        order, rows = rng.permutation(len(pool)), []
        order = order[np.argsort(spread[order].round(6), kind="stable")]
        largest_first = np.argsort(-np.bincount(cluster, minlength=n), kind="stable")
        while len(rows) < n:
            for label in largest_first:
                left = order[(cluster[order] == label) & open_rows.mask[order]]
                if len(left) and len(rows) < n:
                    rows.append(int(left[0]))
                    open_rows.close(rows[-1])
        return Selection(np.array(rows, dtype=np.int64))


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    path = f"{__name__}:Typical"
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Typical.__module__])
    monkeypatch.setitem(_registry.STRATEGIES, "typical", path)


@pytest.fixture
def strategy(registered):
    return get_strategy("typical")


pending = common.pending

# All checks of the registry, on this strategy.
globals().update(
    {name: check for name, check in vars(common).items() if name.startswith("test_")}
)


def test_a_querier_knows_it_by_its_name():
    assert "typical" in get_strategy_names()
    X = np.random.RandomState(0).normal(size=(40, 3))
    from sklearn.linear_model import LogisticRegression

    querier = BadgeQuerier(LogisticRegression(), strategy="typical", random_state=0)
    rows = querier.fit(X[:10], np.arange(10) % 2).query(X[10:], 5)
    assert len(set(rows)) == 5
