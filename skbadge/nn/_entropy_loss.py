"""The entropy of predictions on unlabelled rows, as a part of a net's loss."""

from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from skorch import NeuralNet
from skorch.callbacks import PassthroughScoring

from skbadge._compat import Interval, Options, validate_parameter_constraints
from skbadge.nn._unlabeled import UnlabeledBatches, is_unlabeled, take_labels, take_rows
from skbadge.pools import check_masked_parts
from skbadge.utils._shared_state import seeded
from skbadge.utils._shown import shown
from skbadge.utils._typing import Rows
from skbadge.utils._validation import check_masked

_CONSTRAINTS = {
    "entropy_weight": [Interval(Real, 0, None, closed="left")],
    "unlabeled_batch_size": [
        Interval(Integral, 1, None, closed="left"),
        Options(Integral, {-1}),
        None,
    ],
}
_TRAINING_STATE = ("X_unlabeled_", "unlabeled_batches_", "unlabeled_step_")


def mean_entropy_of_logits(logits):
    """Mean entropy of the softmax of logits, in nats; classes on the second axis."""
    # log p = z - logsumexp(z)
    log_proba = torch.log_softmax(logits, dim=1)
    # p log p is 0 at p = 0. There, log p is minus infinity, and 0 * inf would be NaN.
    floor = torch.finfo(log_proba.dtype).min
    # H = -sum_c p_c log p_c, then its mean over the rows
    return -(log_proba.exp() * log_proba.clamp_min(floor)).sum(dim=1).mean()


def mean_entropy_of_probabilities(proba):
    """Mean entropy of probabilities, in nats; classes on the second axis."""
    # log p is bounded from below: p = 0 then adds 0, and its gradient is finite.
    tiny = torch.finfo(proba.dtype).tiny
    # H = -sum_c p_c log p_c, then its mean over the rows
    return -(proba * torch.log(proba.clamp_min(tiny))).sum(dim=1).mean()


@contextmanager
def _frozen_statistics(modules):
    """Normalisation layers use their running statistics inside, without an update."""
    layers = [
        layer
        for module in modules
        for layer in module.modules()
        if layer.training and getattr(layer, "track_running_stats", False)
    ]
    try:
        for layer in layers:
            layer.training = False
        yield
    finally:
        for layer in layers:
            layer.training = True


class JointEntropyMixin(NeuralNet):
    """Adds the entropy of predictions on unlabelled rows to a skorch net's loss.

    It goes before a skorch classifier among the bases, see `JointEntropyClassifier`.

    Parameters
    ----------
    *args, **kwargs
        Parameters of the classifier.

    entropy_weight : float, default=0.1
        Weight of the entropy, at least 0.

    unlabeled_label : scalar, default=-1
        The mark of unlabelled rows in ``y``.

    unlabeled_batch_size : int or None, default=None
        Unlabelled rows in a step. None takes as many as labelled ones, and -1 all.
    """

    # `BadgeQuerier` reads this: `fit` takes unlabelled rows, with `unlabeled_label`.
    trains_on_unlabeled = True

    # The state of a training in progress. The names end in an underscore, because
    # skorch takes all other names for parameters.
    X_unlabeled_ = None
    unlabeled_batches_ = None
    unlabeled_step_ = None

    def __init__(
        self,
        *args: Any,
        entropy_weight: float = 0.1,
        unlabeled_label: Any = -1,
        unlabeled_batch_size: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.entropy_weight = entropy_weight
        self.unlabeled_label = unlabeled_label
        self.unlabeled_batch_size = unlabeled_batch_size

    @property
    def _default_callbacks(self):
        parts = [
            (name, PassthroughScoring(name, lower_is_better=None, on_train=True))
            for name in ("train_cross_entropy", "train_entropy")
        ]
        return [*parts, *super()._default_callbacks]

    def fit(self, X: Rows, y: ArrayLike | None, **fit_params: Any) -> Self:
        """Train from scratch, or go on if ``warm_start`` is set.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or other rows the net takes
            Labelled and unlabelled rows, in any order.

        y : array-like of shape (n_samples,)
            Labels, `unlabeled_label` for rows without one.

        **fit_params : dict
            Passed to the module, for labelled and for unlabelled batches.

        Returns
        -------
        self : object
            The trained net.

        Raises
        ------
        ValueError
            If no row is labelled, a parameter is not valid, or the mark of unlabelled
            rows is among the ``classes`` of the net.
        """
        with self._set_apart(X, y, fit_params) as (X, y, fit_params):
            return super().fit(X, y, **fit_params)

    def partial_fit(
        self,
        X: Rows,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Go on training, on these rows only.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or other rows the net takes
            Labelled and unlabelled rows, in any order.

        y : array-like of shape (n_samples,)
            Labels, `unlabeled_label` for rows without one.

        classes : array-like of shape (n_classes,) or None, default=None
            As in the `partial_fit` of the net without unlabelled rows.

        **fit_params : dict
            As in `fit`.

        Returns
        -------
        self : object
            The trained net.

        Raises
        ------
        ValueError
            As in `fit`, and if the mark of unlabelled rows is among the classes.
        """
        self._check_unmarked(classes)
        with self._set_apart(X, y, fit_params) as (X, y, fit_params):
            return super().partial_fit(X, y, classes=classes, **fit_params)

    def _check_unmarked(self, classes):
        """Raise if the mark of unlabelled rows is among classes given in advance."""
        if classes is None:
            return
        if np.any(np.asarray(classes) == self.unlabeled_label):
            raise ValueError(
                f"`classes` must be without unlabeled_label={self.unlabeled_label!r}, "
                "the mark of rows without a label. Leave it out, or set "
                "`unlabeled_label` to a value that is no class. Got "
                f"{shown(np.asarray(classes).tolist())}."
            )

    @contextmanager
    def _set_apart(self, X, y, fit_params):
        """Store the unlabelled rows for a training, and yield the labelled ones."""
        self._check_unmarked(getattr(self, "classes", None))
        params = {name: getattr(self, name) for name in _CONSTRAINTS}
        validate_parameter_constraints(_CONSTRAINTS, params, type(self).__name__)
        check_masked_parts(X, "X")
        check_masked(y, "y")
        marks = is_unlabeled(X, y, self.unlabeled_label)
        if marks is None:
            # Or `fit` has set the rows apart already, and calls `partial_fit`.
            yield X, y, fit_params
            return
        labeled = np.flatnonzero(~marks)
        self.X_unlabeled_ = take_rows(X, np.flatnonzero(marks))
        weights = fit_params.get("sample_weight")
        if weights is not None and np.ndim(weights):
            weights = np.asarray(weights)[labeled]
            fit_params = fit_params | {"sample_weight": weights}
        y = None if y is None else take_labels(y, labeled)
        try:
            yield take_rows(X, labeled), y, fit_params
        finally:
            for name in _TRAINING_STATE:
                vars(self).pop(name, None)

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Make batches of the unlabelled rows, if there are any.

        Parameters
        ----------
        net : object
            The net itself.

        **kwargs : dict
            The labelled rows.
        """
        super().on_train_begin(net, **kwargs)
        if self.X_unlabeled_ is not None:
            # It raises now, before the first step, if the criterion does not fit.
            self._mean_entropy()
            dataset = self.get_dataset(self.X_unlabeled_)
            self.unlabeled_batches_ = UnlabeledBatches(dataset, self._make_iterator)

    def _make_iterator(self, dataset):
        """The batches of unlabelled rows, in the order of the dataset."""
        # The samplers and the shuffling of `iterator_train` are for labelled rows.
        size = self.unlabeled_batch_size
        if size is None:
            kwargs = self.get_params_for("iterator_train")
            size = kwargs.get("batch_size", self.batch_size)
        kwargs = self.get_params_for("iterator_valid")
        kwargs["batch_size"] = len(dataset) if size == -1 else size
        return self.iterator_valid(dataset, **kwargs)

    def _mean_entropy(self):
        """The entropy function for the outputs that the criterion expects."""
        criterion = getattr(self.criterion_, "_orig_mod", self.criterion_)
        if isinstance(criterion, torch.nn.CrossEntropyLoss):
            return mean_entropy_of_logits
        if isinstance(criterion, torch.nn.NLLLoss):
            return mean_entropy_of_probabilities
        raise ValueError(
            "criterion must be CrossEntropyLoss, for a module that returns logits, or "
            "NLLLoss, for one that returns probabilities. Got "
            f"{type(criterion).__name__} instead."
        )

    def train_step(
        self, batch: tuple[Any, torch.Tensor], **fit_params: Any
    ) -> dict[str, Any]:
        """Take one step on a labelled batch and an unlabelled one.

        Parameters
        ----------
        batch : tuple of tensors
            The labelled batch.

        **fit_params : dict
            Passed to the module.

        Returns
        -------
        step : dict
            Its ``loss``, the sum, and ``y_pred`` of the labelled batch.
        """
        # Drawn once a step: an optimiser such as LBFGS evaluates its loss many times.
        self.unlabeled_step_ = None
        if self.unlabeled_batches_ is not None and self.entropy_weight > 0:
            self.unlabeled_step_ = self.unlabeled_batches_.draw()
        step = super().train_step(batch, **fit_params)
        for name in ("cross_entropy", "entropy"):
            if name in step:
                self.history.record_batch(f"train_{name}", step.pop(name).item())
        return step

    def train_step_single(
        self, batch: tuple[Any, torch.Tensor], **fit_params: Any
    ) -> dict[str, Any]:
        """Compute the gradients of the loss of a labelled and an unlabelled batch.

        Parameters
        ----------
        batch : tuple of tensors
            The labelled batch.

        **fit_params : dict
            Passed to the module.

        Returns
        -------
        step : dict
            Its ``loss``, the sum; ``y_pred`` of the labelled batch; the part
            ``cross_entropy``; and, with an unlabelled batch, the part ``entropy``.
        """
        # First term: the mean of -log p[y] over the labelled batch, and its gradient.
        step = super().train_step_single(batch, **fit_params)
        step["cross_entropy"] = step["loss"].detach()
        if self.unlabeled_step_ is not None:
            # Second term: lambda times the mean of -sum_c p_c log p_c over the
            # unlabelled batch. Its backward pass adds to the gradients of the first
            # term, whose graph is freed by now.
            entropy = self._unlabeled_entropy(**fit_params)
            (self.entropy_weight * entropy).backward()
            step["entropy"] = entropy.detach()
            # The sum of both terms, for the history.
            step["loss"] = step["cross_entropy"] + self.entropy_weight * step["entropy"]
        return step

    def _unlabeled_entropy(self, **fit_params):
        """Mean entropy of the predictions on the unlabelled batch, with its graph."""
        X, seed = self.unlabeled_step_
        modules = [getattr(self, f"{name}_") for name in self._modules]
        modules = [module for module in modules if isinstance(module, torch.nn.Module)]
        with seeded(seed), _frozen_statistics(modules):
            outputs = self.infer(X, **fit_params)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        return self._mean_entropy()(outputs)

    def score(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Compute the accuracy on the labelled rows among these.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or other rows the net takes
            Rows. Unlabelled ones do not count: the folds of a search have some.

        y : array-like of shape (n_samples,)
            True labels, `unlabeled_label` for rows without one.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows.

        Returns
        -------
        accuracy : float
            Between 0 and 1.

        Raises
        ------
        ValueError
            If no row is labelled.
        """
        marks = is_unlabeled(X, y, self.unlabeled_label)
        if marks is not None:
            labeled = np.flatnonzero(~marks)
            X, y = take_rows(X, labeled), take_labels(y, labeled)
            if sample_weight is not None and np.ndim(sample_weight):
                sample_weight = np.asarray(sample_weight)[labeled]
        return super().score(X, y, sample_weight)

    def __getstate__(self):
        # A checkpoint during training must hold the net, but not the pool.
        state = super().__getstate__()
        return {name: state[name] for name in state if name not in _TRAINING_STATE}
