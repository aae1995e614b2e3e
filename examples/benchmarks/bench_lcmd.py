"""What LCMD costs beside the plain loop, in time and memory, in one run.

The plain loop measures all rows from one centre after another, labelled rows first.
Two embeddings are tried: sketched gradients of a net, of which few directions carry
most of the variance, and independent normal columns, in which all rows are about
equally far from each other, so that nothing can be left out. Every figure is a ratio of
two times, or of two counts, taken in this one run. Run it on a quiet machine, it takes
about three minutes::

    python examples/benchmarks/bench_lcmd.py          # everything
    python examples/benchmarks/bench_lcmd.py net      # some of it, by name
"""

import argparse

import numpy as np
from measuring import peak_memory, report, timed

from skbadge.embeddings import DenseEmbedding
from skbadge.samplers import LCMD

N_ROWS, N_LABELED, N_COLUMNS, N = 200_000, 256, 512, 128


def net_features(n_rows, n_inputs=10, width=512, n_columns=N_COLUMNS, seed=0):
    """Sketched gradients of a ReLU net with two hidden layers at its initialisation."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    first = normal(n_inputs, width) * np.sqrt(2 / n_inputs, dtype=np.float32)
    second = normal(width, width) * np.sqrt(2 / width, dtype=np.float32)
    last = normal(width) / np.sqrt(width, dtype=np.float32)
    sketches = [normal(size, n_columns) for size in (n_inputs, width, width, width)]
    features = np.empty((n_rows, n_columns), dtype=np.float32)
    for start in range(0, n_rows, 4096):
        rows = slice(start, min(start + 4096, n_rows))
        inputs = 5 * np.tanh(normal(rows.stop - start, n_inputs) / 5)
        hidden = inputs @ first
        lower = np.maximum(hidden, 0)
        above = lower @ second
        from_above = last * (above > 0)
        from_lower = (from_above @ second.T) * (hidden > 0)
        part = (inputs @ sketches[0]) * (from_lower @ sketches[1])
        part += (lower @ sketches[2]) * (from_above @ sketches[3])
        features[rows] = part
    return features / np.sqrt((features**2).sum(axis=1).mean())


def plain_loop(features, labeled, n):
    """Squared distances to one centre after another, of all rows, in their dtype."""
    norms_sq = np.einsum("ij,ij->i", features, features)
    sq_dists = np.full(len(features), np.inf)
    nearest = np.zeros(len(features), dtype=np.int64)
    rows = []
    for number in range(len(labeled) + n):
        if number < len(labeled):
            center = labeled[number]
        else:
            sizes = np.bincount(nearest, sq_dists)
            in_largest = nearest == sizes.argmax()
            row = int(np.where(in_largest, sq_dists, -np.inf).argmax())
            rows.append(row)
            center = features[row]
        new = np.maximum(norms_sq + center @ center - 2 * (features @ center), 0)
        closer = new < sq_dists
        sq_dists[closer], nearest[closer] = new[closer], number
        if rows:
            sq_dists[rows[-1]], nearest[rows[-1]] = 0, number
    return np.array(rows)


def compare(features, target):
    """Print one comparison."""
    embedding = DenseEmbedding(features[:N_ROWS])
    labeled = DenseEmbedding(features[N_ROWS:])
    embedding.norms_sq()

    def run():
        return LCMD().run(embedding, N, labeled=labeled, random_state=0)

    lazy_time, lazy = timed(run)
    loop_time, rows = timed(
        lambda: plain_loop(embedding.matrix, labeled.matrix, N), repeats=1
    )
    print(f"  LCMD {lazy_time:.2f} s, loop {loop_time:.2f} s")
    report("loop / LCMD", loop_time / lazy_time, "x", target)
    seeding = N_LABELED**2 + N_ROWS * N_LABELED
    saved = N_ROWS * N / (lazy.n_distances - seeding)
    report("distances to picks, loop / LCMD", saved, "x", ">=0.9")
    same = len(np.intersect1d(lazy.rows, rows)) / N
    print(f"  same picks as the loop, in single precision: {same:.0%}")
    peak = peak_memory(run) / (8 * N_ROWS)
    report("memory beyond the embedding, float64 numbers per row", peak, "", "<=10")


def bench_net():
    """Sketched gradients of a net."""
    print(f"\nnet gradients, N = {N_ROWS}, m = {N_LABELED}, n = {N}, D = {N_COLUMNS}")
    compare(net_features(N_ROWS + N_LABELED), ">=2")


def bench_normal():
    """Independent columns: the worst case."""
    print(f"\nnormal columns, N = {N_ROWS}, m = {N_LABELED}, n = {N}, D = {N_COLUMNS}")
    rng = np.random.default_rng(0)
    shape = (N_ROWS + N_LABELED, N_COLUMNS)
    compare(rng.standard_normal(shape, dtype=np.float32), ">=2")


def bench_exact():
    """In float64 on a smaller pool: the picks of the loop, one by one."""
    print("\nfloat64, N = 20000")
    for name, features in {
        "net gradients": net_features(20_256),
        "normal columns": np.random.default_rng(0).standard_normal((20_256, N_COLUMNS)),
    }.items():
        features = features.astype(np.float64)
        embedding = DenseEmbedding(features[:20_000])
        labeled = DenseEmbedding(features[20_000:])
        rows = plain_loop(embedding.matrix, labeled.matrix, N)
        picks = LCMD().sample(embedding, N, labeled=labeled)
        same = 100 * (picks == rows).mean()
        report(f"{name}: picks as the loop", same, "%", ">=100")


BENCHMARKS = {"net": bench_net, "normal": bench_normal, "exact": bench_exact}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for name in parser.parse_args().names:
        BENCHMARKS[name]()
