"""What a query costs: against plain loops, a pass over the pool, and other software.

Every figure is a ratio of two times (or two memory peaks) taken in this one run, so it
means the same on another machine. Run it on a quiet machine::

    python examples/benchmarks/bench_query.py            # everything, about 3 minutes
    python examples/benchmarks/bench_query.py memory     # some of it, by name

The comparison with scikit-activeml needs the extra ``bench``.
"""

import argparse

import numpy as np
import torch
from measuring import peak_memory, report, synthetic_outputs, timed, times, title
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.embeddings import DenseEmbedding, gradient_embedding
from skbadge.samplers import KCenter, KMeansPlusPlus


def plain_seeding(left, right, n):
    """k-means++ on factors as a plain loop: two matrix-vector products a pick.

    This is what one gets who does not form the gradient embeddings, and no more.
    """
    rng = np.random.default_rng(0)
    norms_sq = np.einsum("ij,ij->i", left, left) * np.einsum("ij,ij->i", right, right)
    nearest = np.full(len(left), np.inf)
    rows = [int(norms_sq.argmax())]
    while len(rows) < n:
        row = rows[-1]
        cross = left @ left[row]
        cross *= right @ right[row]
        sq_dists = norms_sq + norms_sq[row] - 2 * cross
        np.minimum(nearest, np.maximum(sq_dists, 0), out=nearest)
        nearest[row] = 0
        total = np.cumsum(nearest)
        rows.append(int(np.searchsorted(total, rng.random() * total[-1], "right")))
    return rows


def plain_k_center(pool, labeled, n):
    """Farthest-first traversal as a plain loop: one matrix-vector product a pick."""
    norms_sq = np.einsum("ij,ij->i", pool, pool)
    nearest = np.full(len(pool), np.inf)

    def lower(center):
        sq_dists = norms_sq + center @ center - 2 * (pool @ center)
        np.minimum(nearest, sq_dists, out=nearest)

    for center in labeled:
        lower(center)
    rows = []
    while len(rows) < n:
        rows.append(int(nearest.argmax()))
        lower(pool[rows[-1]])
        nearest[rows[-1]] = 0
    return rows


def bench_selection():
    """BADGE's selection: 100,000 and 1,000,000 rows, 10 classes, 256 features."""
    for n_rows, max_passes in ((100_000, 20), (1_000_000, 12)):
        title(f"k-means++ on gradient embeddings: {n_rows} x 10 x 256, n = 1000")
        proba, features = synthetic_outputs(n_rows, 10, 256)
        embedding = gradient_embedding(proba, features)
        # One pass is the computation of all squared norms, which selection includes.
        one_pass, _ = timed(lambda e=embedding: e.take(slice(None))._norms_sq())

        def select(seed, n=1000, proba=proba, features=features):
            embedding = gradient_embedding(proba, features)
            return KMeansPlusPlus().sample(embedding, n, random_state=seed)

        # How often bounds are made exact depends on the draws.
        lazy = np.mean([timed(lambda s=seed: select(s))[0] for seed in range(5)])
        print(f"  {lazy:.3f} s, one pass {one_pass:.3f} s")
        report("passes over the pool", lazy / one_pass, "passes", f"<={max_passes}")
        if n_rows == 100_000:
            factors = embedding.left, embedding.right
            plain, _ = timed(lambda f=factors: plain_seeding(*f, 1000), repeats=1)
            report("times faster than the plain loop", plain / lazy, "x", ">=40")
            few = np.mean([timed(lambda s=s: select(s, n=10))[0] for s in range(5)])
            plain, _ = timed(lambda f=factors: plain_seeding(*f, 10))
            report("the same for 10 picks", plain / few, "x", ">=2")


def bench_core_set():
    """Core-Set's selection against its plain loop."""
    title("core_set: farthest-first on features, N = 100000, d = 256, n = 1000")
    _, features = synthetic_outputs(100_000, 10, 256)
    labeled, pool = features[:100], features[100:]
    lazy, rows = timed(
        lambda: KCenter().sample(
            DenseEmbedding(pool), 1000, labeled=DenseEmbedding(labeled)
        )
    )
    plain, _ = timed(lambda: plain_k_center(pool, labeled, 1000), repeats=1)
    report("times faster than the plain loop", plain / lazy, "x", ">=4")
    # In float32 the plain loop itself swaps rows that are all but equally far.
    pool, labeled = pool.astype(np.float64), labeled.astype(np.float64)
    same = 100 * np.mean(rows == plain_k_center(pool, labeled, 1000))
    report("picks in common with the loop in float64", same, "%", ">=100")


# Batches of the bare pass; the best one counts.
BATCH_SIZES = 512, 1024, 2048, 4096, 8192


class TwoLayers(nn.Module):
    """An MLP with two hidden layers of 256."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(50, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()
        )
        self.output = nn.Linear(256, 10)

    def forward(self, X):
        """Logits."""
        return self.output(self.hidden(X))


def bare_pass(module, X, batch_size):
    """The module over tensor batches, and nothing else."""
    with torch.inference_mode():
        for batch in torch.from_numpy(X).split(batch_size):
            module(batch)


def factorised_query(module, X, n):
    """What the plain loop needs: features and probabilities in one pass, then draws."""
    features, proba = [], []
    with torch.inference_mode():
        for batch in torch.from_numpy(X).split(BATCH_SIZES[-1]):
            features.append(module.hidden(batch))
            proba.append(module.output(features[-1]).softmax(dim=1))
    features, proba = torch.cat(features).numpy(), torch.cat(proba).numpy()
    proba[np.arange(len(proba)), proba.argmax(axis=1)] -= 1
    return plain_seeding(proba, features, n)


def bench_query(sizes=(100_000, 1_000_000)):
    """The whole query against the forward passes of skorch and of bare torch."""
    rng = np.random.default_rng(0)
    net = NeuralNetClassifier(
        TwoLayers, criterion=nn.CrossEntropyLoss, max_epochs=2, lr=0.1, verbose=0
    )
    labeled = rng.standard_normal((1000, 50), dtype=np.float32)
    y = rng.integers(10, size=1000)
    for n_rows in sizes:
        title(f"query: {n_rows} x 50, MLP 256-256, n = 1000")
        X = rng.standard_normal((n_rows, 50), dtype=np.float32)
        querier = BadgeQuerier(net, random_state=0).fit(labeled, y)
        # Whatever is loaded once is there; the memory of a large pass is not.
        querier.query(X[:1000], 10)
        cold, (_, details) = timed(
            lambda q=querier, X=X: q.query(X, 1000, return_report=True), repeats=1
        )
        module = querier.estimator_.module_.eval()
        repeats = 9 if n_rows <= 100_000 else 5
        passes = {
            size: times(lambda s=size, m=module, X=X: bare_pass(m, X, s), repeats)
            for size in BATCH_SIZES
        }
        best = min(passes, key=lambda size: min(passes[size]))
        floor = min(passes[best])
        whole = times(lambda q=querier, X=X: q.query(X, 1000), repeats)
        print(
            f"  bare module {floor:.3f} s (median {np.median(passes[best]):.3f}), "
            f"batches of {best}, torch's default kernels"
        )
        print(f"  query {min(whole):.3f} s (median {np.median(whole):.3f})")
        for note in details.notes:
            print(f"  {note}")
        target = "<=1.25" if n_rows <= 100_000 else "<=0.8"
        report("of the bare module, warm", min(whole) / floor, "x", target)
        report("of the bare module, the first time", cold / floor, "x", "<=2")
        if n_rows <= 100_000:
            plain, _ = timed(lambda m=module, X=X: factorised_query(m, X, 1000), 1)
            report(
                "times faster than a loop on factors", plain / min(whole), "x", ">=10"
            )
            theirs, _ = timed(lambda q=querier, X=X: q.estimator_.predict_proba(X))
            report("of skorch's predict_proba", min(whole) / theirs, "x", "<=0.4")


def bench_memory():
    """Peak memory of the selection, and a pool too large for dense embeddings."""
    title("memory")
    n_rows = 1_000_000
    proba, features = synthetic_outputs(n_rows, 10, 64)
    embedding = gradient_embedding(proba, features)
    peak = peak_memory(lambda: KMeansPlusPlus().sample(embedding, 1000, random_state=0))
    report(
        "N = 1e6, K = 10, d = 64: float64 arrays of N", peak / (8 * n_rows), "", "<=6"
    )
    del proba, features, embedding
    proba, features = synthetic_outputs(50_000, 1000, 512)
    embedding = gradient_embedding(proba, features)
    seconds, _ = timed(
        lambda: KMeansPlusPlus().sample(embedding, 1000, random_state=0), repeats=1
    )
    dense = embedding.shape[0] * embedding.shape[1] * 4 / 1e9
    held = embedding.nbytes / 1e9
    print(f"  N = 50000, K = 1000, d = 512, n = 1000: {seconds:.2f} s, {held:.2f} GB")
    report(
        "of which the dense embedding would be the multiple", dense / held, "x", ">=1"
    )


def bench_activeml():
    """scikit-activeml's Badge on the same probabilities and features."""
    title("scikit-activeml: N = 20000, K = 10, d = 128, n = 200")
    try:
        from skactiveml.base import SkactivemlClassifier
        from skactiveml.pool import Badge
    except ImportError:
        print("  not installed: pip install -c constraints.txt -e '.[bench]'")
        return
    proba, features = synthetic_outputs(20_000, 10, 128)

    class Precomputed(SkactivemlClassifier):
        """Answers with the probabilities and features made above."""

        def fit(self, X, y, sample_weight=None):
            return self

        def predict_proba(self, X, return_embeddings=False):
            return (proba, features) if return_embeddings else proba

    theirs = Badge(random_state=0, clf_embedding_flag_name="return_embeddings")
    classifier = Precomputed(classes=range(10))
    y = np.full(len(features), np.nan)

    def ask():
        return theirs.query(features, y, clf=classifier, fit_clf=False, batch_size=200)

    def ours():
        embedding = gradient_embedding(proba, features)
        return KMeansPlusPlus().sample(embedding, 200, random_state=0)

    our_time, _ = timed(ours)
    their_time, rows = timed(ask, repeats=1)
    assert len(set(np.asarray(rows).tolist())) == 200
    our_peak, their_peak = peak_memory(ours), peak_memory(ask)
    print(f"  {our_time:.3f} s and {our_peak / 1e6:.1f} MB")
    print(f"  scikit-activeml: {their_time:.1f} s and {their_peak / 1e6:.0f} MB")
    report("times faster", their_time / our_time, "x", ">=100")
    embedding = gradient_embedding(proba, features)
    factors = embedding.left, embedding.right
    plain, _ = timed(lambda: plain_seeding(*factors, 200), repeats=3)
    report("of which by keeping factors, in that loop", their_time / plain, "x", ">=1")
    report("times less memory", their_peak / our_peak, "x", ">=10")


BENCHMARKS = {
    "selection": bench_selection,
    "core_set": bench_core_set,
    "query": bench_query,
    "memory": bench_memory,
    "activeml": bench_activeml,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for name in parser.parse_args().names:
        BENCHMARKS[name]()
