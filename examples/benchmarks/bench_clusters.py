"""What strategies by clusters cost beside scikit-learn's k-means and other queries.

Every figure is a ratio of two times, or of two amounts of memory, taken in this one
run. Run it on a quiet machine::

    python examples/benchmarks/bench_clusters.py                 # some ten minutes
    python examples/benchmarks/bench_clusters.py typiclust       # some of it, by name
    python examples/benchmarks/bench_clusters.py --rows 20000 --columns 32 --n 200
"""

import argparse
from functools import partial

import numpy as np
from measuring import peak_memory, report, synthetic_outputs, timed
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.outputs import Outputs
from skbadge.pools import row_ids
from skbadge.strategies import ClusterMargin, TypiClust
from skbadge.utils._clustering import cluster


def bench_typiclust(n_rows=100_000, n_columns=256, n=500):
    """Its share of k-means: the rest is the search for neighbours."""
    print(f"\ntypiclust: N = {n_rows}, d = {n_columns}, n = {n}, nothing labelled")
    _, features = synthetic_outputs(n_rows, 10, n_columns)
    pool = Outputs(features=features)
    strategy = TypiClust()
    whole, _ = timed(lambda: strategy.select(pool, n, random_state=0), repeats=1)
    n_clusters = min(n, strategy.max_clusters)
    # The same clusters: ties have drawn their seed before.
    rng = np.random.RandomState(0)
    rng.randint(2**31 - 1)
    means, _ = timed(lambda: cluster(features, n_clusters, rng), repeats=1)
    print(f"  {whole:.2f} s, of which k-means with {n_clusters} clusters {means:.2f} s")
    report("of the time is scikit-learn's k-means", 100 * means / whole, "%", ">=50")
    peak = peak_memory(lambda: strategy.select(pool, n, random_state=0))
    report("peak memory, in times the features", peak / features.nbytes, "x", "<=2")


def bench_cluster_margin(n_rows=1_000_000, n_columns=256, n=10_000):
    """The query that finds the clusters, and those after it."""
    print(f"\ncluster_margin: N = {n_rows}, d = {n_columns}, n = {n}")
    proba, X = synthetic_outputs(n_rows + 1000, 10, n_columns)
    y, known, X = proba.argmax(axis=1)[:1000], X[:1000], X[1000:]
    del proba

    def trained(strategy):
        model = LogisticRegression(max_iter=50, tol=0.1)
        return BadgeQuerier(model, strategy=strategy, random_state=0).fit(known, y)

    plain, _ = timed(lambda: trained("margin").query(X, n), repeats=2)
    querier = trained("cluster_margin")
    outputs = querier.outputs(X)
    n_centers, rng = ClusterMargin().max_centers, np.random.RandomState(0)
    means, _ = timed(partial(cluster, outputs.features, n_centers, rng), repeats=1)
    del outputs
    names, _ = timed(lambda: row_ids(X), repeats=1)
    print(f"  a query of margin {plain:.2f} s, identities of all rows {names:.2f} s")
    print(f"  k-means with {n_centers} centres {means:.2f} s")
    first, _ = timed(lambda: querier.query(X, n), repeats=1)
    later, rows = timed(lambda: querier.query(X, n), repeats=2)
    print(f"  first query {first:.2f} s, later ones {later:.2f} s")
    parts = plain + means + names
    report(
        "first query, beside margin, identities and k-means",
        first / parts,
        "x",
        "<=1.5",
    )
    report("later queries, beside those of margin", later / plain, "x", "<=4")
    kept = querier.strategy_._known
    held = kept.names.nbytes + kept.of_names.nbytes
    report("bytes kept for a row", held / n_rows, "bytes", "<=20")
    peak = peak_memory(lambda: querier.query(X, n))
    report("peak of a later query, in times the pool", peak / X.nbytes, "x", "<=2")
    assert len(np.unique(rows)) == n


BENCHMARKS = {"typiclust": bench_typiclust, "cluster_margin": bench_cluster_margin}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for option in ("rows", "columns", "n"):
        parser.add_argument(f"--{option}", type=int)
    options = parser.parse_args()
    sizes = {
        "n_rows": options.rows,
        "n_columns": options.columns,
        "n": options.n,
    }
    sizes = {name: size for name, size in sizes.items() if size is not None}
    for name in options.names:
        BENCHMARKS[name](**sizes)
