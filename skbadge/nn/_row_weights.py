"""Weights of rows in the loss of a net for tables."""

from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet

from skbadge._compat import check_sample_weight


def checked_weights(sample_weight, X):
    """Weights as float64, with mean 1; None if there are none."""
    if sample_weight is None:
        return None
    weights = check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError("sample_weight must be positive for some row. Got zeros only.")
    # First a scale whose sum cannot overflow.
    weights = weights / weights.max()
    return weights / weights.mean()


def with_weights(X, weights):
    """Rows for the net's data set, which cuts batches out of them and their weights."""
    if weights is None:
        return X
    return {"X": X, "sample_weight": weights.astype(np.float32)}


def parted(X):
    """Rows and weights of a batch or of all data; None for weights of 1."""
    # SciPy's matrices of format dok are dicts, too.
    return (X["X"], X["sample_weight"]) if type(X) is dict else (X, None)


def weight_of(marks, weights):
    """The weight of all rows, and that of the marked ones; None is a weight of 1."""
    if weights is None:
        return len(marks), marks.sum().item()
    weights = weights.cpu().double()
    return weights.sum().item(), (weights @ marks.double()).item()


class RowWeightsMixin(NeuralNet):
    """Gives each row of a batch its weight in the loss.

    It goes before a skorch net class among the bases. A data set of `with_weights` has
    weights, of mean 1: the loss of a batch is the mean of weight times loss. Summed
    over the batches of an epoch, a row of weight 2 counts as two rows do, and a row of
    weight 0 does not count.
    """

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the module on the rows of a batch.

        Parameters
        ----------
        x : tensor of shape (n_rows, n_features), or dict
            The rows, perhaps with weights.

        **fit_params : dict
            Passed to the module.

        Returns
        -------
        outputs : tensor
            What the module returns.
        """
        return super().infer(parted(x)[0], **fit_params)

    def get_loss(
        self,
        y_pred: Any,
        y_true: torch.Tensor,
        X: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Compute the loss of a batch.

        Parameters
        ----------
        y_pred : tensor of shape (n_rows, n_outputs)
            Outputs of the module.

        y_true : tensor of shape (n_rows, ...)
            The encoded targets.

        X : tensor of shape (n_rows, n_features), or dict
            The rows, perhaps with weights.

        *args, **kwargs
            Passed on.

        Returns
        -------
        loss : tensor of shape ()
            The weighted loss.
        """
        weights = parted(X)[1]
        if weights is None:
            return super().get_loss(y_pred, y_true, X, *args, **kwargs)
        with _unreduced(self.criterion_) as reduction:
            losses = super().get_loss(y_pred, y_true, X, *args, **kwargs)
        losses = losses.reshape(len(losses), -1).mean(dim=1)
        total = losses @ weights.to(losses)
        if reduction == "sum":
            return total
        by_class = getattr(self.criterion_, "weight", None)
        # torch's mean over rows is one weighted by the classes.
        return total / (len(losses) if by_class is None else by_class[y_true].sum())


@contextmanager
def _unreduced(criterion):
    """Let a criterion return the loss of each row inside; give its own reduction."""
    reduction = getattr(criterion, "reduction", None)
    if reduction not in ("mean", "sum"):
        raise TypeError(
            "With sample_weight, the criterion must have reduction='mean' or 'sum', as "
            f"torch's losses have. Got a {type(criterion).__name__} with "
            f"reduction={reduction!r}."
        )
    try:
        criterion.reduction = "none"
        yield reduction
    finally:
        criterion.reduction = reduction
