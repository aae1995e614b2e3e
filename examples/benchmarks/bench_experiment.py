"""What an experiment costs: against its own stages, and against bare torch.

One repeat of 20 rounds of 100 labels by BADGE, on OpenML's letter (26 classes) if it is
on disk or can be fetched, else on made-up data of the same shape, with an MLP of 1024
hidden units. Run it on a quiet machine; it takes about two minutes::

    python examples/benchmarks/bench_experiment.py

The bare loop is what one writes for a single experiment: a module, mini-batches, Adam,
plain k-means++ on factored gradient embeddings, arrays of row numbers, one thread.
"""

from time import perf_counter

import numpy as np
import torch
from measuring import report
from sklearn.datasets import make_classification
from torch import nn

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.experiment import active_learning_curve
from skbadge.nn import TabularNetClassifier

N_INITIAL, N_QUERY, N_ROUNDS = 100, 100, 20
WIDTH, LR, BATCH_SIZE, MAX_EPOCHS = 1024, 1e-3, 128, 300


def load():
    """Rows as float32, and classes."""
    try:
        letter = load_openml(6)
        return np.array(letter.X, dtype=np.float32), letter.y
    except ConnectionError as error:
        print(f"Made-up data in place of letter. {error}")
    X, y = make_classification(
        20_000, 16, n_informative=16, n_redundant=0, n_classes=26, random_state=0
    )
    return X.astype(np.float32), y


def bare_training(X, y, n_classes):
    """Train from scratch until the training accuracy reaches 0.99."""
    mean, scale = X.mean(0), X.std(0)
    X = (X - mean) / torch.where(scale > 0, scale, 1.0)
    hidden = nn.Sequential(nn.Linear(X.shape[1], WIDTH), nn.ReLU())
    output = nn.Linear(WIDTH, n_classes)
    optimizer = torch.optim.Adam([*hidden.parameters(), *output.parameters()], LR)
    n_steps = 0
    for _ in range(MAX_EPOCHS):
        n_right = 0
        for rows in torch.randperm(len(X)).split(BATCH_SIZE):
            optimizer.zero_grad()
            logits = output(hidden(X[rows]))
            nn.functional.cross_entropy(logits, y[rows]).backward()
            optimizer.step()
            n_right += int((logits.argmax(1) == y[rows]).sum())
            n_steps += 1
        if n_right >= 0.99 * len(X):
            break
    return lambda X: hidden((X - mean) / torch.where(scale > 0, scale, 1.0)), output


def bare_badge(features, proba, n, rng):
    """k-means++ on factored gradient embeddings, one pass over the pool a pick."""
    left = proba.clone()
    left[torch.arange(len(left)), left.argmax(1)] -= 1
    norms_sq = left.square().sum(1) * features.square().sum(1)
    nearest = torch.full((len(left),), torch.inf)
    picks = [int(norms_sq.argmax())]
    while len(picks) < n:
        cross = (left @ left[picks[-1]]) * (features @ features[picks[-1]])
        sq_dists = (norms_sq + norms_sq[picks[-1]] - 2 * cross).clip(0)
        nearest = torch.minimum(nearest, sq_dists)
        nearest[picks[-1]] = 0
        total = np.cumsum(nearest.double().numpy())
        picks.append(int(np.searchsorted(total, rng.random() * total[-1], "right")))
    return picks


def bare_experiment(X, y, seed=0):
    """Accuracy after each round."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    test, pool = order[: len(X) // 10], order[len(X) // 10 :]
    labeled, left = pool[:N_INITIAL], pool[N_INITIAL:]
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    n_classes = int(y.max()) + 1
    scores = []
    for i in range(N_ROUNDS + 1):
        hidden, output = bare_training(X[labeled], y[labeled], n_classes)
        with torch.no_grad():
            is_right = output(hidden(X[test])).argmax(1) == y[test]
            scores.append(float(is_right.float().mean()))
            if i == N_ROUNDS:
                return scores
            features = hidden(X[left])
            proba = output(features).softmax(1)
        picks = bare_badge(features, proba, N_QUERY, rng)
        labeled, left = np.append(labeled, left[picks]), np.delete(left, picks)


def library_experiment(X, y, seed=0):
    """The result of one repeat."""
    net = TabularNetClassifier(
        hidden_sizes=(WIDTH,), lr=LR, batch_size=BATCH_SIZE, max_epochs=MAX_EPOCHS,
        min_steps=0,
    )  # fmt: skip
    return active_learning_curve(
        BadgeQuerier(net), X, y, n_initial=N_INITIAL, n_query=N_QUERY,
        n_rounds=N_ROUNDS, initial="uniform", test_size=0.1, n_repeats=1,
        random_state=seed,
    )  # fmt: skip


def main():
    """Measure and report."""
    torch.set_num_threads(1)
    X, y = load()
    bare_training(
        torch.from_numpy(X[:500]), torch.from_numpy(y[:500]), int(y.max()) + 1
    )
    start = perf_counter()
    frame = library_experiment(X, y).to_frame()
    library = perf_counter() - start
    start = perf_counter()
    scores = bare_experiment(X, y)
    bare = perf_counter() - start
    stages = frame[["fit_time", "query_time", "score_time"]].sum()
    print(
        f"\n{N_ROUNDS} rounds of {N_QUERY} by badge: {library:.1f} s, of which "
        f"training {stages['fit_time']:.1f} s, queries {stages['query_time']:.1f} s, "
        f"scoring {stages['score_time']:.1f} s; bare torch {bare:.1f} s"
    )
    print(f"  last accuracy {frame['score'].iloc[-1]:.3f}, bare {scores[-1]:.3f}")
    work = stages["fit_time"] + stages["query_time"]
    harness = library - work - stages["score_time"]
    report("harness beyond fit, query and score", 100 * harness / work, "%", "<=5")
    report("the same loop on bare torch", library / bare, "times", "<=1.5")


if __name__ == "__main__":
    main()
