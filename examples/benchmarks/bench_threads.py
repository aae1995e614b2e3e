"""What a second thread is worth to every sampler and every strategy.

Small products are slower with two threads than with one: to wake the other takes longer
than the product. Each call is timed with one thread and with two, by turns, in this one
process. Run it on a quiet machine with two processors or more::

    OMP_NUM_THREADS=2 python examples/benchmarks/bench_threads.py
    OMP_NUM_THREADS=2 python examples/benchmarks/bench_threads.py MaxDet lcmd
"""

import argparse
import warnings
from functools import partial

import numpy as np
from measuring import report, synthetic_outputs, timed, title

from skbadge import samplers
from skbadge.embeddings import (
    DenseEmbedding,
    GaussianEmbedding,
    OuterProductEmbedding,
    fisher_embedding,
)
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import KDPP, Bait, Herding, Sampler
from skbadge.strategies import get_strategy, get_strategy_names
from skbadge.utils._threads import threads_limited

# Calls that take less are not worth a thread.
LEAST_SECONDS = 0.05

# Times by which two threads may be slower than one.
MOST = 1.15

N_ROWS, N_CLASSES, N_FEATURES = 20_000, 10, 128


def outer_products(n_rows):
    """Embeddings as BADGE's."""
    proba, features = synthetic_outputs(n_rows, N_CLASSES, N_FEATURES)
    residuals = proba.copy()
    residuals[np.arange(n_rows), proba.argmax(axis=1)] -= 1
    return OuterProductEmbedding(residuals, features)


def matrices(n_rows, n_columns=N_FEATURES):
    """Rows of a matrix."""
    return DenseEmbedding(synthetic_outputs(n_rows, N_CLASSES, n_columns)[1])


def sampler_calls():
    """A call of each sampler of a size that takes a while, by name."""
    chains = {
        f"KDPP {proposal}": KDPP("mcmc", proposal=proposal, init="random")
        for proposal in ("heat_bath", "uniform")
    }
    of_their_own = {
        "Bait": (Bait(), matrices(N_ROWS, 256), 20),
        "FrankWolfe": (samplers.FrankWolfe(), matrices(N_ROWS, 512), 500),
        "Herding": (Herding(), GaussianEmbedding(matrices(N_ROWS).matrix), 100),
        "KDPP": (KDPP(), matrices(N_ROWS, 512), 100),
        "KDPP heat_bath": (chains["KDPP heat_bath"], matrices(N_ROWS), 50),
        "KDPP uniform": (chains["KDPP uniform"], matrices(N_ROWS), 100),
    }
    others = {
        name: (value(), outer_products(N_ROWS), 500)
        for name in samplers.__all__
        if isinstance(value := getattr(samplers, name), type)
        and issubclass(value, Sampler)
        and value is not Sampler
        and name not in of_their_own
    }
    calls = {
        name: partial(sampler.sample, embedding, n, random_state=0)
        for name, (sampler, embedding, n) in sorted({**of_their_own, **others}.items())
    }
    fisher = fisher_embedding(*synthetic_outputs(N_ROWS, 6, 64))
    calls["bait_greedy"] = partial(samplers.bait_greedy, fisher, 20, random_state=0)
    return calls


def outputs(n_rows, seed):
    """All that any strategy asks of a model."""
    rng = np.random.default_rng(seed)
    proba, features = synthetic_outputs(n_rows, N_CLASSES, 64, seed)
    posterior = proba * rng.uniform(0.2, 1, (20, *proba.shape)).astype(np.float32)
    posterior /= posterior.sum(axis=2, keepdims=True)
    factors = rng.standard_normal((2, n_rows, 64), dtype=np.float32)
    return Outputs(
        proba=proba,
        features=features,
        posterior=posterior,
        inputs=features,
        gradients=OuterProductEmbedding(*factors),
        head=(rng.standard_normal((N_CLASSES, 64), dtype=np.float32), np.zeros(10)),
        prediction=features[:, :1],
    )


def strategy_calls():
    """A call of each strategy of the registry, by name."""
    pool, known = outputs(N_ROWS // 2, 0), outputs(200, 1)
    y = np.arange(200) % N_CLASSES
    labeled = Labeled(known, y, codes=y)
    return {
        name: partial(
            get_strategy(name).select, pool, 50, labeled=labeled, random_state=0
        )
        for name in get_strategy_names()
    }


def side_by_side(call, repeats):
    """Least times with one thread and with two, in seconds."""
    times = {1: [], 2: []}
    for _ in range(repeats):
        for n_threads in times:
            with threads_limited(n_threads):
                times[n_threads].append(timed(call, repeats=1)[0])
    return [min(each) for each in times.values()]


def compare(calls, repeats):
    """Print a line for each call, and the worst of those that take some time."""
    print(f"  {'':28}{'one':>9}{'two':>9}{'two / one':>11}")
    worst = 0.0
    for name, call in calls.items():
        one, two = side_by_side(call, repeats)
        if one > LEAST_SECONDS:
            worst = max(worst, two / one)
        print(f"  {name:28}{one:8.3f}s{two:8.3f}s{two / one:11.2f}", flush=True)
    report("two threads / one, the worst above 50 ms", worst, "x", f"<={MOST}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for what, make in (("samplers", sampler_calls), ("strategies", strategy_calls)):
        calls = make()
        names = [name for name in calls if name in options.names or not options.names]
        if names:
            title(what)
            compare({name: calls[name] for name in names}, options.repeats)
