"""What greedy determinants cost beside a plain loop, in one run.

The loop is that of the textbooks on the factors of the gradient embedding: one column
of the Gram matrix and one of the Cholesky factor for each pick. Every figure is a ratio
of two times, or of two counts, taken in this one run. Run it on a quiet machine, it
takes about two minutes::

    python examples/benchmarks/bench_max_det.py            # everything
    python examples/benchmarks/bench_max_det.py labeled    # some of it, by name
"""

import argparse

import numpy as np
from measuring import synthetic_outputs, timed

from skbadge.embeddings import gradient_embedding
from skbadge.samplers import MaxDet


def plain_loop(left, right, n, n_labeled, sigma):
    """Pivoted Cholesky on factors as a plain loop, in float64, labelled rows first."""
    residuals = np.einsum("ij,ij->i", left, left) * np.einsum("ij,ij->i", right, right)
    n_pool = len(left) - n_labeled
    columns = np.empty((n_labeled + n, len(left)))
    rows = []
    for step in range(n_labeled + n):
        row = n_pool + step
        if step >= n_labeled:
            row = int(residuals[:n_pool].argmax())
            rows.append(row)
        cross = (left @ left[row]) * (right @ right[row])
        before = columns[:step]
        pivot = np.sqrt(residuals[row] + sigma**2)
        columns[step] = (cross - before[:, row] @ before) / pivot
        residuals -= columns[step] ** 2
        residuals[rows] = -np.inf
    return np.array(rows)


def compare(n_rows, n_classes, n_features, n, *, n_labeled=0, sigma=0.0):
    """Print one comparison."""
    proba, features = synthetic_outputs(n_rows + n_labeled, n_classes, n_features)
    both = gradient_embedding(proba, features)
    embedding = both.take(slice(n_rows))
    embedding.norms_sq()
    labeled = both.take(slice(n_rows, None)) if n_labeled else None

    lazy_time, lazy = timed(
        lambda: MaxDet(sigma=sigma).run(embedding, n, labeled=labeled, random_state=0)
    )
    factors = both.astype(np.float64)
    loop_time, rows = timed(
        lambda: plain_loop(factors.left, factors.right, n, n_labeled, sigma), repeats=1
    )
    print(
        f"\nN = {n_rows}, K = {n_classes}, d = {n_features}, n = {n}, "
        f"{n_labeled} labelled, sigma = {sigma:g}"
    )
    n_products = len(factors) * (n_labeled + n)
    print(f"  MaxDet {lazy_time:.3f} s, plain loop {loop_time:.3f} s")
    print(f"  times faster                {loop_time / lazy_time:8.1f}")
    print(f"  times fewer inner products  {n_products / lazy.n_distances:8.1f}")
    print(f"  same picks                  {(lazy.rows == rows).mean():8.0%}")


def bench_paper():
    """The BADGE paper's kind of setting."""
    compare(20_000, 10, 128, 100)


def bench_large():
    """A larger pool and net."""
    compare(100_000, 10, 256, 200)


def bench_rank():
    """Picks in number close to the rank, 9 * 128: most rows contend in the end."""
    compare(20_000, 10, 128, 800)


def bench_labeled():
    """Given labelled rows, with noise."""
    compare(20_000, 10, 128, 100, n_labeled=500, sigma=1.0)


BENCHMARKS = {
    "paper": bench_paper,
    "large": bench_large,
    "rank": bench_rank,
    "labeled": bench_labeled,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for name in parser.parse_args().names:
        BENCHMARKS[name]()
