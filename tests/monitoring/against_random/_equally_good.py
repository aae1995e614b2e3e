"""Models whose quality is known: their rows say what the truth is."""

import zlib

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


def digest(rows):
    return zlib.crc32(np.ascontiguousarray(rows, dtype=np.float64).tobytes())


class Guesser(ClassifierMixin, BaseEstimator):
    """Right on each row with a probability, by luck that its training rows decide.

    ``X[:, 0]`` is the true label, 0 or 1. After training on rows whose ``X[:, 1]`` is
    above 0 on the mean, the probability is another.
    """

    def __init__(self, accuracy=0.8, accuracy_above=0.8):
        self.accuracy = accuracy
        self.accuracy_above = accuracy_above

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seed_ = digest(X)
        is_above = np.mean(X[:, 1]) > 0
        self.right_ = self.accuracy_above if is_above else self.accuracy
        return self

    def predict(self, X):
        rng = np.random.default_rng([self.seed_, digest(X)])
        right = rng.random(len(X)) < self.right_
        return self.classes_[np.where(right, X[:, 0], 1 - X[:, 0]).astype(int)]


class Measurer(RegressorMixin, BaseEstimator):
    """Off by normal errors of a known size, likewise."""

    def __init__(self, error=1.0, error_above=1.0):
        self.error = error
        self.error_above = error_above

    def fit(self, X, y):
        self.seed_ = digest(X)
        self.size_ = self.error_above if np.mean(X[:, 1]) > 0 else self.error
        return self

    def predict(self, X):
        rng = np.random.default_rng([self.seed_, digest(X)])
        return X[:, 0] + self.size_ * rng.standard_normal(len(X))
