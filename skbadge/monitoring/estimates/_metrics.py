"""Metrics as functions of means over rows, so that rows can have weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skbadge.utils._shown import listed, shown


@dataclass(frozen=True)
class Metric:
    """A metric that is a function of means over rows.

    Parameters
    ----------
    name : str
        scikit-learn's for the function.

    moments : callable
        From true labels and `BatchPredictions` to what is averaged, of shape
        (n_rows, n_moments).

    value, slope : callable
        From the means to the metric, and to its derivatives by each of them.

    max_moment : float or None, default=None
        Greatest value of the one moment there is, none of which is negative. None
        where it is unbounded, or there are several.

    is_score : bool, default=True
        Whether greater is better. It is then between 0 and 1.

    power : float, default=1.0
        The error is the mean of the one moment to this power.
    """

    name: str
    moments: Callable
    value: Callable
    slope: Callable
    max_moment: float | None = None
    is_score: bool = True
    power: float = 1.0


CLASSIFICATION = ("accuracy", "balanced_accuracy", "log_loss", "precision", "recall")
REGRESSION = ("root_mean_squared_error",)


def metric_of(name, classes, *, pos_label=None, max_loss=None):
    """A metric by its name.

    Parameters
    ----------
    name : str
        Among `CLASSIFICATION` or `REGRESSION`, as suits the model.

    classes : ndarray or None
        All labels that occur; None of a regressor.

    pos_label : label or None
        The positive class, of precision and recall.

    max_loss : float or None
        Greatest loss of a row, where there is no bound by itself: a logarithmic loss,
        or the absolute error of a prediction.
    """
    check_kind(name, is_of_classes=classes is not None)
    check_pos_label(pos_label)
    if name == "accuracy":
        return Metric(name, _wrong, lambda m: 1 - m[0], lambda m: -np.ones(1), 1.0)
    if name == "log_loss":
        return Metric(
            name, _log_losses, lambda m: m[0], np.ones_like, max_loss, is_score=False
        )
    if name == "root_mean_squared_error":
        bound = None if max_loss is None else max_loss**2
        # Of several outputs the mean of their roots, as in scikit-learn.
        return Metric(
            name,
            _squared_errors,
            lambda m: np.sqrt(m).mean(),
            _slope_of_roots,
            bound,
            is_score=False,
            power=0.5,
        )
    if name == "balanced_accuracy":
        return _ratios(name, [_recall_of(label) for label in classes])
    label = _positive(classes, pos_label, name)
    part = _recall_of(label) if name == "recall" else _precision_of(label)
    return _ratios(name, [part])


def check_kind(name, *, is_of_classes):
    """Raise if a metric is not for classifiers, or not for regressors."""
    names = CLASSIFICATION if is_of_classes else REGRESSION
    if name not in names:
        kind = "classifier" if is_of_classes else "regressor"
        raise ValueError(
            f"`metric` must be one of {list(names)} for a {kind}. Got {shown(name)}."
        )


def check_pos_label(pos_label):
    """Raise if it is no single label: several in a list, a dict, an array."""
    try:
        hash(pos_label)
    except TypeError:
        raise ValueError(
            "`pos_label` must be one label, such as 1 or 'spam', or None. Got "
            f"{shown(pos_label)} instead."
        ) from None


def _wrong(y, predictions):
    return (predictions.labels != y)[:, None].astype(np.float64)


def _log_losses(y, predictions):
    """Minus the logarithm of the right class's probability, kept off 0 and 1."""
    if predictions.proba is None:
        raise ValueError(
            "`metric` 'log_loss' needs class probabilities, and the model has no "
            "`predict_proba`. Take 'accuracy'."
        )
    proba, classes = predictions.proba, predictions.classes
    is_it = y[:, None] == classes[None, :]
    right = np.where(is_it, proba, 0).sum(axis=1)
    least = np.finfo(proba.dtype).eps
    return -np.log(np.clip(right, least, 1 - least).astype(np.float64))[:, None]


def _squared_errors(y, predictions):
    return (predictions.labels.astype(np.float64) - y).reshape(len(y), -1) ** 2


def _slope_of_roots(means):
    with np.errstate(divide="ignore"):
        slope = 0.5 / np.sqrt(means) / len(means)
    # Without any error there is nothing to vary.
    return np.where(means > 0, slope, 0.0)


def _recall_of(label):
    return lambda y, predicted: (y == label, (y == label) & (predicted == label))


def _precision_of(label):
    return lambda y, predicted: (
        predicted == label,
        (y == label) & (predicted == label),
    )


def _ratios(name, parts):
    """The mean of ratios: of rows that count, the share of those that are hits.

    Parameters
    ----------
    name : str
        The metric.

    parts : list of callable
        Each from true and predicted labels to masks of both.
    """

    def moments(y, predictions):
        masks = [mask for part in parts for mask in part(y, predictions.labels)]
        return np.stack(masks, axis=1).astype(np.float64)

    def value(means):
        counts, hits = means[::2], means[1::2]
        there = counts > 0
        return np.mean(hits[there] / counts[there]) if there.any() else np.nan

    def slope(means):
        counts, hits = means[::2], means[1::2]
        there = counts > 0
        slopes = np.zeros(len(means))
        share = 1 / max(there.sum(), 1)
        # hits / counts by counts, and by hits
        slopes[::2][there] = -share * hits[there] / counts[there] ** 2
        slopes[1::2][there] = share / counts[there]
        return slopes

    return Metric(name, moments, value, slope)


def _positive(classes, pos_label, name):
    """The positive class: the one named, or the second of two."""
    known = classes.tolist()
    if pos_label is None and len(known) == 2:
        return known[1]
    if pos_label not in known:
        raise ValueError(
            f"`metric` {name!r} needs `pos_label`, the class that it is about. Got "
            f"{shown(pos_label)}; the classes are {listed(known)}."
        )
    return pos_label
