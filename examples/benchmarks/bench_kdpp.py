"""What BADGE saves: k-means++ against k-DPP sampling, in time and in what is selected.

The BADGE paper replaces the k-DPP by k-means++ seeding because it is far cheaper at
equal quality. Times and their ratios are taken in this one run, the log-determinant of
the batch's Gram matrix and the mean norm of its embeddings beside them: the quantities
of the paper's Figure 2. Run it on a quiet machine, about a minute and a half::

    python examples/benchmarks/bench_kdpp.py             # everything
    python examples/benchmarks/bench_kdpp.py sketches    # some of it, by name
"""

import argparse
import gc
from time import perf_counter

import numpy as np
from measuring import report, synthetic_outputs

from skbadge.embeddings import gradient_embedding
from skbadge.inspection import batch_diagnostics
from skbadge.outputs import Outputs
from skbadge.strategies import Badge, BadgeKDPP, Random

N_ROWS, N_CLASSES, N_FEATURES, N = 20_000, 10, 128, 100


def synthetic_pool():
    """Model outputs for the pool that all samplers select from."""
    return Outputs(*synthetic_outputs(N_ROWS, N_CLASSES, N_FEATURES))


def measure(strategy, pool, n=N, repeats=3):
    """Least time of some selections, and the means of what they selected."""
    embedding = gradient_embedding(pool.proba, pool.features)
    times, log_dets, norms = [], [], []
    for seed in range(repeats):
        gc.collect()
        start = perf_counter()
        rows = strategy.select(pool, n, random_state=seed)
        times.append(perf_counter() - start)
        diagnostics = batch_diagnostics(embedding, rows)
        log_dets.append(diagnostics.log_det)
        norms.append(diagnostics.mean_norm)
    return min(times), np.mean(log_dets), np.mean(norms)


def print_row(name, seconds, log_det, norm, ratio):
    """Print one line of the table."""
    times = f"{ratio:9.1f}" if ratio else " " * 9
    print(f"  {name:<40} {seconds:9.3f} {times} {log_det:12.2f} {norm:10.3f}")


def print_header():
    """Print the names of the columns."""
    head = ("seconds", "x badge", "log-det", "mean norm")
    print("  {:<40} {:>9} {:>9} {:>12} {:>10}".format("", *head))


def compare(strategies, pool, n=N):
    """Print a table of strategies, against BADGE, and return its rows."""
    print_header()
    measured = {}
    for name, strategy in {"random": Random(), "badge": Badge(), **strategies}.items():
        measured[name] = measure(strategy, pool, n)
        badge = measured.get("badge")
        ratio = measured[name][0] / badge[0] if badge else None
        print_row(name, *measured[name], ratio)
    return measured


def bench_methods():
    """The k-DPP itself, and chains that approach it."""
    print(f"\nmethods: N = {N_ROWS}, K = {N_CLASSES}, d = {N_FEATURES}, n = {N}")
    uniform = {"method": "mcmc", "proposal": "uniform"}
    strategies = {
        "k-DPP, exact": BadgeKDPP(),
        "k-DPP, heat bath": BadgeKDPP(method="mcmc"),
        "k-DPP, swaps of the paper's code": BadgeKDPP(
            **uniform, steps="badge", init="random"
        ),
        "k-DPP, swaps of the paper's code, greedy": BadgeKDPP(
            **uniform, steps="badge", init="greedy"
        ),
    }
    measured = compare(strategies, synthetic_pool())
    badge, exact = measured["badge"], measured["k-DPP, exact"]
    heat_bath = measured["k-DPP, heat bath"]
    report("exact k-DPP: times slower than badge", exact[0] / badge[0], "x", ">=50")
    difference = (badge[1] - exact[1]) / N
    report("badge's log-det above the k-DPP's, by row", difference, "nats", ">=-0.1")
    difference = abs(heat_bath[1] - exact[1]) / N
    report(
        "heat bath's log-det from the exact one, by row", difference, "nats", "<=0.1"
    )


def bench_sketches():
    """What a sketch saves, and what it loses."""
    print(f"\nsketches: N = {N_ROWS}, K = {N_CLASSES}, d = {N_FEATURES}, n = {N}")
    strategies = {f"k-DPP, sketch={q}": BadgeKDPP(n_columns=q) for q in (100, 200, 400)}
    strategies["k-DPP, exact"] = BadgeKDPP()
    measured = compare(strategies, synthetic_pool())
    ratio = measured["k-DPP, exact"][0] / measured["k-DPP, sketch=400"][0]
    report("sketch of 4 n: times faster than the whole", ratio, "x", ">=1.5")


def bench_sizes():
    """How the cost grows with the size of the batch."""
    pool = synthetic_pool()
    for n in (10, 100, 300):
        print(f"\nsizes: N = {N_ROWS}, K = {N_CLASSES}, d = {N_FEATURES}, n = {n}")
        compare({"k-DPP, exact": BadgeKDPP()}, pool, n)


BENCHMARKS = {
    "methods": bench_methods,
    "sketches": bench_sketches,
    "sizes": bench_sizes,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    for name in parser.parse_args().names:
        BENCHMARKS[name]()
