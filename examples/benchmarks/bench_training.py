"""What training the ready nets costs: against a bare loop of torch with fused Adam.

Every figure is a ratio of two times taken in this one run, by one repeat after another:
the least of each, and the median. A loop of torch is what one writes by hand: batches
cut off tensors, forward, loss, backward, a step of fused Adam. Run it on a quiet
machine::

    OMP_NUM_THREADS=1 python examples/benchmarks/bench_training.py
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch
from measuring import report, title
from torch import nn

from skbadge.nn import MLP, TabularNetClassifier, TabularNetRegressor

N_ROWS, N_COLUMNS, N_CLASSES, BATCH_SIZE, EPOCHS = 6400, 50, 10, 64, 4
HIDDEN = (256, 256)


def bare_layers():
    """The layers alone."""
    return nn.Sequential(
        nn.Linear(N_COLUMNS, 256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, N_CLASSES),
    )


def whole_module():
    """The module of the nets, which standardises and clips its input."""
    return MLP(N_COLUMNS, N_CLASSES, HIDDEN)


def loop(X, y, make):
    """Training as one writes it by hand."""
    torch.manual_seed(0)
    module, criterion = make(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(module.parameters(), fused=True)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(BATCH_SIZE):
            optimizer.zero_grad()
            criterion(module(X[rows]), y[rows]).backward()
            optimizer.step()


def main(repeats=5):
    """Print the ratios."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, N_COLUMNS), dtype=np.float32)
    y = rng.integers(N_CLASSES, size=N_ROWS)
    shared = {
        "hidden_sizes": HIDDEN,
        "batch_size": BATCH_SIZE,
        "max_epochs": EPOCHS,
        "random_state": 0,
    }
    classifier = TabularNetClassifier(train_accuracy=None, **shared)
    runs = {
        "layers": lambda: loop(X, y, bare_layers),
        "module": lambda: loop(X, y, whole_module),
        "TabularNetClassifier": lambda: classifier.fit(X, y),
        "TabularNetRegressor": lambda: TabularNetRegressor(**shared).fit(X, y * 1.0),
    }
    times = {name: [] for name in runs}
    # The first round warms up.
    for i in range(repeats + 1):
        for name, run in runs.items():
            start = perf_counter()
            run()
            if i:
                times[name].append(perf_counter() - start)
    n_steps = EPOCHS * N_ROWS // BATCH_SIZE
    title(f"training: {N_ROWS} x {N_COLUMNS}, 256-256, batches of {BATCH_SIZE}")
    print(f"  threads of torch: {torch.get_num_threads()}")
    for name, each in times.items():
        least, middle = (1e6 * time / n_steps for time in (min(each), median(each)))
        print(f"  {name}: {least:.0f} us a step, median {middle:.0f}")
    for name in ("TabularNetClassifier", "TabularNetRegressor"):
        for floor in ("module", "layers"):
            ratio = min(times[name]) / min(times[floor])
            report(f"{name}, of the loop over the {floor}", ratio, "x", "<=1.25")


if __name__ == "__main__":
    main()
