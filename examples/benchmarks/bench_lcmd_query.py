"""What a whole query with `lcmd` costs beside the net's own forward pass, in one run.

A net of two hidden layers of 512 is asked for rows of a large pool. "pool" is 128 of
200,000 rows given 256 labelled ones; "paper" 256 of 100,000 given 2,000, for which the
paper's authors state less than a second on an RTX 3090. Every figure is a ratio of two
times, or of bytes, taken in this one run. Run it on a quiet machine, it takes about two
minutes::

    python examples/benchmarks/bench_lcmd_query.py                  # both
    python examples/benchmarks/bench_lcmd_query.py paper --device cuda
"""

import argparse
import resource

import numpy as np
import torch
from measuring import report, timed

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetRegressor
from skbadge.outputs import Needs, model_outputs

N_COLUMNS, WIDTH, SKETCH = 20, 512, 512


def make_querier(n_labeled, device):
    """A querier with a net that was trained a little."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_labeled, N_COLUMNS), dtype=np.float32)
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    net = TabularNetRegressor(
        hidden_sizes=(WIDTH, WIDTH), max_epochs=5, device=device, random_state=0
    )
    return BadgeQuerier(net, strategy="lcmd", random_state=0).fit(X, y)


def synchronised(function, device):
    """A function that returns when the device has done its work."""

    def run():
        result = function()
        if device != "cpu":
            torch.cuda.synchronize()
        return result

    return run


def forward(module, X, batch_size=4096):
    """The net's output for all rows, and nothing else."""
    with torch.inference_mode():
        return [module(part) for part in X.split(batch_size)]


def peak_rss():
    """Most bytes of main memory that this process ever held."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def compare(n_rows, n_labeled, n, device, targets):
    """Print one comparison."""
    print(f"\nN = {n_rows}, m = {n_labeled}, n = {n}, sketch of {SKETCH}, {device}")
    querier = make_querier(n_labeled, device)
    rng = np.random.default_rng(1)
    X = rng.standard_normal((n_rows, N_COLUMNS), dtype=np.float32)
    # Whatever is loaded or started once is there before memory is looked at.
    querier.query(X[:1000], 2)
    before = peak_rss()
    querier.query(X, n)
    held = (peak_rss() - before) / (4 * n_rows * SKETCH)
    query_time, (_, details) = timed(
        synchronised(lambda: querier.query(X, n, return_report=True), device)
    )
    module = querier.estimator_.module_.eval()
    tensor = torch.from_numpy(X).to(device)
    forward_time, _ = timed(synchronised(lambda: forward(module, tensor), device))
    needs = Needs(gradients=True, n_columns=SKETCH)
    options = {"needs": needs, "random_state": 0}
    reading_time, _ = timed(
        synchronised(
            lambda: model_outputs(querier.estimator_, X, **options).gradients, device
        )
    )
    print(f"  {details.seconds}")
    print(
        f"  query {query_time:.2f} s, of which reading {reading_time:.2f} s; "
        f"bare forward pass {forward_time:.3f} s"
    )
    report("query / bare forward pass", query_time / forward_time, "x", targets[0])
    # A row of the sketch takes 3.9 times as many operations as the forward pass of
    # this net, the backward pass about as many.
    ratio = reading_time / forward_time
    report("reading sketched gradients / forward", ratio, "x", targets[1])
    # The peak is that of the process: only its first query tells.
    if device == "cpu" and held:
        report("peak memory / the sketched gradients", held, "x", "<=1.5")


def bench_pool(device):
    """Few of many rows."""
    compare(200_000, 256, 128, device, ("<=15", "<=9"))


def bench_paper(device):
    """The size that the paper's authors state a time for."""
    compare(100_000, 2_000, 256, device, ("<=20", "<=9"))


BENCHMARKS = {"pool": bench_pool, "paper": bench_paper}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    for name in arguments.names:
        BENCHMARKS[name](arguments.device)
