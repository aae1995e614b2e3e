"""What BatchBALD costs: against BALD, by the number of rows asked for.

Every figure is a ratio of two times taken in this one run, so it means the same on
another machine. Run it on a quiet machine::

    python examples/benchmarks/bench_batch_bald.py              # about a minute
    python examples/benchmarks/bench_batch_bald.py --rows 5000  # a smaller pool

The pool is synthetic: members are linear models that differ by noise in their weights,
as samples of a posterior do, most of them certain of most rows.
"""

import argparse

import numpy as np
from measuring import timed

from skbadge.outputs import Outputs
from skbadge.strategies import Bald, BatchBald

SIZES = (1, 2, 5, 10, 20, 50)


def synthetic_posterior(n_samples, n_rows, n_classes, n_features=32, seed=0):
    """Softmax probabilities of linear models around one in common."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n_rows, n_features), dtype=np.float32)
    center = rng.standard_normal((n_features, n_classes), dtype=np.float32)
    posterior = np.empty((n_samples, n_rows, n_classes), dtype=np.float32)
    for proba in posterior:
        noise = rng.standard_normal(center.shape, dtype=np.float32)
        np.matmul(features, center + 0.2 * noise, out=proba)
        proba -= proba.max(axis=1, keepdims=True)
        np.exp(proba, out=proba)
        proba /= proba.sum(axis=1, keepdims=True)
    return posterior


def bench_sizes(pool, n_configurations):
    """Time of both strategies, and the information that their rows hold."""
    bald_time, _ = timed(lambda: Bald().run(pool, 1, random_state=0), repeats=3)
    print(f"\nn_configurations = {n_configurations}: bald takes {bald_time:.3f} s")
    print(f"  {'n':>4} {'batch_bald':>12} {'of bald':>10} {'information':>12}")
    strategy = BatchBald(n_configurations=n_configurations)
    for n in SIZES:
        seconds, selection = timed(
            lambda n=n: strategy.run(pool, n, random_state=0), repeats=1
        )
        assert len(set(selection.rows.tolist())) == n
        total = selection.values.sum()
        ratio = f"{seconds / bald_time:8.1f} x"
        print(f"  {n:>4} {seconds:>10.3f} s {ratio:>10} {total:>7.3f} nats")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--configurations", type=int, default=2000)
    args = parser.parse_args()
    posterior = synthetic_posterior(args.samples, args.rows, args.classes)
    print(f"posterior of shape {posterior.shape}, at most log S = ", end="")
    print(f"{np.log(args.samples):.3f} nats to be learned")
    bench_sizes(Outputs(posterior=posterior), args.configurations)
