"""The data of the studies: from files of your own, or from OpenML.

If the environment variable SKBADGE_DATA names a folder, ``letter.csv`` and the like are
read from there: a header, one of its columns the target, and classes that are words.
What is not there is fetched from OpenML, but for sgemm, kegg, power_plant, kin40k and
covtype, which are not there as they are used here. A run is known by the name of the
data set, not by where it came from.
"""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from skbadge.datasets import load_openml, load_table

# Number at OpenML or None, and the target.
CLASSES = {
    "adult": (1590, "class"),
    "bank": (1461, "Class"),
    "covtype": (None, "class"),
    "letter": (6, "class"),
    "mnist": (554, "class"),
    "mushroom": (24, "class"),
    "pendigits": (32, "class"),
    "satimage": (182, "class"),
}
NUMBERS = {
    "diamonds": (42225, "price"),
    "fried": (564, "target"),
    "kegg": (None, "target"),
    "kin40k": (None, "target"),
    "power_plant": (None, "target"),
    "protein": (None, "RMSD"),
    "sgemm": (None, "log_ms"),
}


def table(name, max_rows=None):
    """Read a data set by its name; with `max_rows`, so many of its rows, drawn once."""
    task = "classification" if name in CLASSES else "regression"
    number, target = (CLASSES | NUMBERS)[name]
    path = Path(os.environ.get("SKBADGE_DATA", "."), f"{name}.csv")
    rows = {"max_rows": max_rows, "random_state": 0}
    if path.exists():
        return load_table(path, target, task=task, **rows)
    if number is None:
        raise FileNotFoundError(
            f"{path.name} must lie in the folder that SKBADGE_DATA names: "
            f"there is no {str(path)!r}. Its target is the column {target!r}."
        )
    return load_openml(number, task=task, **rows)


def images(max_rows=None):
    """MNIST as (X, y): float32 images of shape (1, 28, 28) in [0, 1], and digits."""
    data = table("mnist", max_rows)
    X = data.X.to_numpy(np.float32).reshape(-1, 1, 28, 28) / 255
    return X, data.y


def raw(name, max_rows=None):
    """Read a table of numbers as (X, y): its columns as they are, in float32."""
    data = table(name, max_rows)
    return data.X.to_numpy(np.float32), data.y


def rare(name, max_rows=None):
    """Read a data set as (X, y, preprocessor): its rarest class at 1 %, and the rest.

    Rows of that class are left out, or if it is rarer than that, others.
    """
    data = table(name)
    is_rare = data.y == np.argmin(np.bincount(data.y))
    random = np.random.default_rng(0)
    others = random.permutation(np.flatnonzero(~is_rare))
    found = random.permutation(np.flatnonzero(is_rare))
    n_found = min(len(found), len(others) // 99, (max_rows or len(data.y)) // 100)
    rows = np.sort(np.r_[found[:n_found], others[: 99 * n_found]])
    y = is_rare[rows].astype(int)
    return SimpleNamespace(X=data.X.iloc[rows], y=y, preprocessor=data.preprocessor)


def rare_classes(name, max_rows):
    """Read a data set as (X, y, preprocessor), and make the last of its classes rare.

    A fifth of the classes, two at least, have half a per cent of the rows each.
    """
    data = table(name)
    n_classes = len(data.classes)
    rare = range(first_rare(n_classes), n_classes)
    is_rare, n_rare = data.y >= rare.start, len(rare)
    random = np.random.default_rng(0)
    n_rows = min(max_rows, int(np.sum(~is_rare) / (1 - n_rare / 200)))
    n_each = n_rows // 200
    order = random.permutation(len(data.y))
    others = order[~is_rare[order]][: n_rows - n_rare * n_each]
    found = [order[data.y[order] == k][:n_each] for k in rare]
    rows = np.sort(np.concatenate([others, *found]))
    return SimpleNamespace(
        X=data.X.iloc[rows], y=data.y[rows], preprocessor=data.preprocessor
    )


def first_rare(n_classes):
    """The first of the classes that are made rare, which are the last ones."""
    return n_classes - max(2, n_classes // 5)


def found(querier, X, y):
    """How many rows of the rare class are labelled: a scorer."""
    return int(np.sum(querier.y_labeled_ == 1))


def found_of_classes(querier, X, y):
    """How many rows of `rare_classes` are labelled: a scorer.

    A class may be missing among the labels, but not among the rows for testing.
    """
    return int(np.sum(querier.y_labeled_ >= first_rare(int(np.max(y)) + 1)))
