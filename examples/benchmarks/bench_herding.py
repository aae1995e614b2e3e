"""What herding costs beside the loop that keeps the kernel matrix, in one run.

The loop forms the kernel of all candidates and evaluation rows once, and updates all
gains after each pick; it gets float32, and blocks that stay in cache. Every figure is a
ratio of two times, or of two counts, taken in this one run. Run it on a quiet machine;
the whole takes about two minutes and 3 GB of memory::

    python examples/benchmarks/bench_herding.py                  # everything
    python examples/benchmarks/bench_herding.py first            # some of it, by name
    python examples/benchmarks/bench_herding.py --candidates 5000 --evaluation 2000
"""

import argparse

import numpy as np
from measuring import report, synthetic_outputs, timed

from skbadge.embeddings import GaussianEmbedding
from skbadge.samplers import Herding


def plain_loop(rows, weights, candidates, evaluation, n, sigma):
    """Kernel herding as a plain loop on the whole kernel matrix, in float32."""
    norms_sq = np.einsum("ij,ij->i", rows, rows)
    kernel = rows[evaluation] @ rows[candidates].T
    for block in np.array_split(kernel, len(kernel) // 100):
        block *= 2
        block -= norms_sq[candidates]
        block -= 1
        block /= sigma**2
        np.exp(block, out=block)
    nearest = np.zeros((len(evaluation), 1), dtype=np.float32)
    picks = []
    for _ in range(n):
        gains = np.zeros(len(candidates))
        for start in range(0, len(kernel), 16):
            part = slice(start, start + 16)
            above = kernel[part] - nearest[part]
            gains += weights[part] @ np.maximum(above, 0, out=above)
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        np.maximum(nearest, kernel[:, picks[-1:]], out=nearest)
    return candidates[picks]


def compare(n_candidates, n_evaluation, *, sigma, is_weighted=False, n=100):
    """Print one comparison."""
    proba, features = synthetic_outputs(n_candidates, 10, 64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    weights = np.ones(n_candidates, dtype=np.float32)
    if is_weighted:
        top = np.sort(proba, axis=1)
        weights = 1 - (top[:, -1] - top[:, -2])
    evaluation = np.arange(0, n_candidates, n_candidates // n_evaluation)[:n_evaluation]
    # The sampler evaluates on the rows of positive weight.
    some = np.zeros(n_candidates)
    some[evaluation] = weights[evaluation]
    sampler = Herding(
        weights=some, n_evaluation_rows=n_candidates, n_candidates=n_candidates
    )
    embedding = GaussianEmbedding(features, sigma=sigma)
    lazy_time, lazy = timed(lambda: sampler.run(embedding, n, random_state=0), 1)
    candidates = np.arange(n_candidates)
    loop_time, rows = timed(
        lambda: plain_loop(
            features, weights[evaluation], candidates, evaluation, n, sigma
        ),
        1,
    )
    n_products = n_candidates * n_evaluation
    print(
        f"\n{n_candidates} candidates, {n_evaluation} evaluation rows, 64 columns, "
        f"n = {n}, sigma = {sigma}{', weighted' * is_weighted}"
    )
    print(f"  Herding {lazy_time:.2f} s, plain loop {loop_time:.2f} s")
    report("times faster", loop_time / lazy_time, "", ">=10")
    print(f"  passes over candidates x evaluation  {lazy.n_distances / n_products:.2f}")
    print(f"  same picks                           {(lazy.rows == rows).mean():.0%}")


BENCHMARKS = {
    # The default of max_herding.
    "first": {"sigma": 1.0},
    # As uncertainty herding with some dozens of labels.
    "later": {"sigma": 0.5, "is_weighted": True},
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--candidates", type=int, default=35_000)
    parser.add_argument("--evaluation", type=int, default=10_000)
    options = parser.parse_args()
    for name in options.names:
        compare(options.candidates, options.evaluation, **BENCHMARKS[name])
