"""BAIT by definition: full matrices of information, and inverses of their sums."""

import numpy as np


def full_information(proba, features, weights=None):
    """Expectation of the squared gradient over labels, class by class."""
    weights = proba if weights is None else weights
    total = 0
    for y, weight in enumerate(weights):
        gradient = np.kron(np.eye(len(proba))[y] - proba, features)
        total = total + weight * np.outer(gradient, gradient)
    return total


def top_k_information(proba, features, n_top):
    """The same over the most probable classes, renormalised."""
    weights = np.zeros_like(proba)
    top = np.argsort(-proba, kind="stable")[:n_top]
    weights[top] = proba[top] / proba[top].sum()
    return full_information(proba, features, weights)


def binary_information(proba, features):
    """That of a Bernoulli variable with the greatest probability."""
    return proba.max() * (1 - proba.max()) * np.outer(features, features)


def stack(information, proba, features, *args):
    """Information of several rows, shape (n_rows, n_parameters, n_parameters)."""
    return np.array(
        [information(p, z, *args) for p, z in zip(proba, features, strict=True)]
    )


class Oracle:
    """The objective and its greedy search, by direct inverses."""

    def __init__(self, pool, labeled, n, regularization, weighting):
        m = 0 if labeled is None else len(labeled)
        everything = pool if m == 0 else np.concatenate([pool, labeled])
        self.pool, self.n = pool, n
        self.target = everything.mean(axis=0)
        self.start = regularization * np.eye(pool.shape[1])
        self.weight = 1.0
        if m and weighting == "repo":
            self.start = self.start + m / (m + n) * labeled.mean(axis=0)
            self.weight = n / (m + n)
        elif m and weighting == "counts":
            self.start = self.start + labeled.sum(axis=0)
        elif m:
            self.start = self.start + labeled.mean(axis=0)

    def objective(self, rows):
        """Trace of the inverse information of some rows times the mean information."""
        precision = self.start + self.weight * self.pool[list(rows)].sum(axis=0)
        return np.trace(np.linalg.inv(precision) @ self.target)

    def search(self, oversampling=2):
        """Rows added, those of them that are kept, and how far each brought it down."""
        rows, values = [], []
        while len(rows) < min(int(oversampling * self.n), len(self.pool)):
            before = self.objective(rows)
            left = [row for row in range(len(self.pool)) if row not in rows]
            gains = [before - self.objective([*rows, row]) for row in left]
            rows.append(left[int(np.argmax(gains))])
            values.append(max(gains))
        kept = list(rows)
        while len(kept) > self.n:
            others = [[r for r in kept if r != row] for row in kept]
            losses = [self.objective(rest) for rest in others]
            kept = others[int(np.argmin(losses))]
        return rows, kept, dict(zip(rows, values, strict=True))


def outputs(n_rows, n_classes=4, n_features=3, seed=0, spread=1.0):
    """Probabilities and features."""
    rng = np.random.RandomState(seed)
    logits = 2 * spread * rng.normal(size=(n_rows, n_classes))
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    proba /= proba.sum(axis=1, keepdims=True)
    scales = rng.lognormal(sigma=0.5, size=(n_rows, 1))
    return proba, scales * rng.normal(size=(n_rows, n_features))
