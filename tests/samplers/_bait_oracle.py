"""BAIT by definition: full matrices of information, and inverses of their sums."""

import numpy as np

from skbadge.samplers import Feasible


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

    def __init__(
        self,
        pool,
        labeled,
        n,
        regularization,
        weighting,
        *,
        feasible=None,
        count_labeled=True,
    ):
        self.pool, self.n = pool, n
        self.feasible = Feasible.of(feasible, len(pool))
        self.pending = list(self.feasible.pending)
        m = 0 if labeled is None else len(labeled)
        everything = [pool]
        if m and count_labeled:
            repeats = self.feasible.repeats
            everything = [pool if repeats is None else pool[~repeats], labeled]
        self.target = np.concatenate(everything).mean(axis=0)
        self.start = regularization * np.eye(pool.shape[1])
        self.weight, batch = 1.0, n + len(self.pending)
        if m and weighting == "repo":
            self.start = self.start + m / (m + batch) * labeled.mean(axis=0)
            self.weight = batch / (m + batch)
        elif m and weighting == "counts":
            self.start = self.start + labeled.sum(axis=0)
        elif m and weighting == "mean":
            self.start = self.start + labeled.mean(axis=0)

    def may_be_picked(self, row, rows):
        """Whether a row may follow some picks."""
        feasible, taken = self.feasible, [*self.pending, *rows]
        if row in taken or (feasible.mask is not None and not feasible.mask[row]):
            return False
        groups = feasible.groups
        if groups is None:
            return True
        return (groups[taken] == groups[row]).sum() < feasible.max_per_group

    def objective(self, rows):
        """Trace of the inverse information of some rows times the mean information."""
        rows = [*self.pending, *rows]
        precision = self.start + self.weight * self.pool[rows].sum(axis=0)
        return np.trace(np.linalg.inv(precision) @ self.target)

    def search(self, oversampling=2):
        """Rows added, those of them that are kept, and how far each brought it down."""
        rows, values = [], []
        size = max(int(oversampling * self.n), self.n)
        while len(rows) < size:
            left = [r for r in range(len(self.pool)) if self.may_be_picked(r, rows)]
            if not left:
                break
            before = self.objective(rows)
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
