"""What a step of BAIT costs, against the formula it is defined by.

Every figure is a ratio of two times (or two memory peaks) taken in this one run, so it
means the same on another machine. Run it on a quiet machine::

    python examples/benchmarks/bench_bait.py            # everything, about a minute
    python examples/benchmarks/bench_bait.py step       # some of it, by name
"""

import argparse

import numpy as np
from measuring import peak_memory, report, synthetic_outputs, timed

from skbadge.embeddings import fisher_embedding
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import bait_greedy
from skbadge.strategies import Badge, Bait


def unfactored(proba, features, n):
    """The search by its definition: all roots in full, all products at each step."""
    proba, features = proba.astype(np.float64), features.astype(np.float64)
    residuals = np.eye(proba.shape[1]) - proba[:, None, :]
    residuals *= np.sqrt(proba)[:, :, None]
    roots = residuals[:, :, :, None] * features[:, None, None, :]
    roots = roots.reshape(len(proba), proba.shape[1], -1)
    flat = roots.reshape(-1, roots.shape[2])
    target = flat.T @ flat / len(proba)
    inverse, identity = np.eye(len(target)), np.eye(roots.shape[1])

    def change(parts, sign):
        images = parts @ inverse
        A = images @ parts.transpose(0, 2, 1)
        B = images @ target @ images.transpose(0, 2, 1)
        return np.einsum("nii->n", np.linalg.solve(identity + sign * A, B))

    def update(row, sign):
        image = inverse @ roots[row].T
        inner = np.linalg.inv(identity + sign * roots[row] @ image)
        return inverse - sign * image @ inner @ image.T

    rows = []
    while len(rows) < 2 * n:
        gains = change(roots, 1.0)
        gains[rows] = -np.inf
        rows.append(int(gains.argmax()))
        inverse = update(rows[-1], 1.0)
    while len(rows) > n:
        removed = rows[int(change(roots[rows], -1.0).argmin())]
        inverse = update(removed, -1.0)
        rows.remove(removed)
    return rows


def bench_step():
    """The search against its definition, where the definition still runs."""
    print("\nstep: N = 1000, K = 5, d = 16, n = 20")
    proba, features = synthetic_outputs(1000, 5, 16)

    def ours(n=20):
        return bait_greedy(fisher_embedding(proba, features), n).rows.tolist()

    ours(2)
    our_time, rows = timed(ours, repeats=1)
    start = timed(lambda: ours(1), repeats=1)[0]
    their_time, expected = timed(lambda: unfactored(proba, features, 20), repeats=1)
    our_peak = peak_memory(lambda: ours(3))
    their_peak = peak_memory(lambda: unfactored(proba, features, 3))
    print(f"  {our_time:.3f} s, of which {start:.3f} s for n = 1; {their_time:.2f} s")
    report("times faster than the formula", their_time / our_time, "x", ">=5")
    report("times less memory", their_peak / our_peak, "x", ">=1")
    same = 100 * np.mean([a == b for a, b in zip(rows, expected, strict=True)])
    report("picks in common with it, in order", same, "%", ">=100")


def bench_width():
    """What a row more costs both, as the features get wider."""
    print("\nwidth: a row more, N = 1000, K = 5")

    def one_more(search, small, large):
        times = [timed(lambda n=n: search(n), repeats=2)[0] for n in (small, large)]
        return (times[1] - times[0]) / (large - small)

    for n_features, least in ((16, 5), (64, 10), (128, 20)):
        proba, features = synthetic_outputs(1000, 5, n_features)
        fisher = fisher_embedding(proba, features)
        factored = one_more(lambda n, f=fisher: bait_greedy(f, n), 1, 31)
        plain = one_more(lambda n, p=proba, z=features: unfactored(p, z, n), 1, 3)
        report(f"d = {n_features}: times faster", plain / factored, "x", f">={least}")


def bench_pool():
    """A pool of usual size, and what the reductions save."""
    print("\npool: N = 20000, K = 10, d = 64, n = 50, 500 labelled rows")
    proba, features = synthetic_outputs(20_500, 10, 64)
    pool = Outputs(proba[500:], features[500:])
    labeled = Labeled(Outputs(proba[:500], features[:500]), np.zeros(500))

    def select(strategy):
        return lambda: strategy.select(pool, 50, labeled=labeled, random_state=0)

    seconds, rows = timed(select(Bait()), repeats=1)
    assert len(set(rows.tolist())) == 50
    peak = peak_memory(lambda: Bait().select(pool, 2, labeled=labeled))
    print(f"  {seconds:.1f} s, {peak / 1e6:.0f} MB")
    dense = 8 * len(pool) * 10 * 640
    report("times the memory would take the roots alone", dense / peak, "x", ">=5")
    for strategy, least in (
        (Bait(fisher="top_k"), 1),
        (Bait(fisher="binary"), 10),
        (Badge(), 10),
    ):
        other = timed(select(strategy), repeats=1)[0]
        report(f"times the time of {strategy}", seconds / other, "x", f">={least}")


BENCHMARKS = {"step": bench_step, "width": bench_width, "pool": bench_pool}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for name in parser.parse_args().names:
        BENCHMARKS[name]()
