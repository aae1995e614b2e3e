"""A ready neural net classifier for tables."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from skorch import NeuralNet, NeuralNetClassifier
from torch.utils.data import Dataset

from skbadge._compat import Interval
from skbadge.nn._dataset import Dtype
from skbadge.nn._iterator import Batch
from skbadge.nn._row_weights import checked_weights, parted, weight_of
from skbadge.nn._tabular import TabularNetMixin
from skbadge.nn._validation_split import CodedSplit
from skbadge.utils._shown import listed
from skbadge.utils._typing import RandomState, Rows
from skbadge.utils._validation import check_one_label_a_row


class TabularNetClassifier(TabularNetMixin, NeuralNetClassifier):
    """Multi-layer perceptron for numeric tables, trained until it fits them.

    A skorch net that needs no set-up. It takes its widths from the data, encodes the
    labels, standardises the columns and decides when to stop. Training is that of Ash
    et al.: Adam on the cross-entropy, from scratch, "until training accuracy reaches"
    0.99.

    Parameters
    ----------
    hidden_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers. An empty one gives a linear model.

    dropout : float, default=0.0
        Share of hidden units zeroed during training, in [0, 1).

    lr : float, default=1e-3
        Learning rate.

    max_epochs : int, default=300
        Most epochs of one call of `fit` or `partial_fit`.

    train_accuracy : float or None, default=0.99
        Training stops after the first epoch with at least this accuracy. As in the
        code of the paper, the predictions are those made in training: with dropout,
        and with weights that change from batch to batch. None always trains for
        `max_epochs`.

    min_steps : int, default=100
        Batches to train on, counted from the initial weights, before `train_accuracy`
        may stop training. A net fits a few dozen rows after a few batches, long before
        its features are good. 0 is the rule of the paper.

    batch_size : int, default=64
        Rows in a training batch; -1 for all.

    optimizer : type, default=torch.optim.Adam
        Optimiser class. ``optimizer__weight_decay`` and the like reach it. On a CPU
        steps of Adam are fused, unless ``optimizer__fused`` says otherwise.

    classes : array-like of shape (n_classes,) or None, default=None
        All labels that may ever occur, if ``y`` may lack some. Each has an output
        unit. None takes the labels of the first ``y``.

    train_split : callable or None, default=None
        skorch's validation split, such as ``skorch.dataset.ValidSplit(5)``. None
        trains on all rows.

    callbacks : None, "disable" or list, default=None
        More skorch callbacks. The stopping rule works without callbacks.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.

    random_state : int, RandomState or None, default=None
        Seeds initial weights, shuffling and dropout, without a change to torch's
        global generator. None draws from torch's global generator.

    device : str or torch.device, default="cpu"
        Where to train and predict. For devices without float64, such as "mps", set
        ``dataset__dtype="float32"``.

    verbose : int, default=0
        Whether to print a line per epoch.

    dataset__dtype : str or None, default=None
        Dtype of the rows for the module. None keeps float64 and float32 rows as they
        are: the module subtracts large column means before digits are lost.

    iterator_train__shuffle : bool, default=True
        Whether every epoch goes through the rows in a new order.

    iterator_valid__batch_size : int, default=4096
        Rows in a batch when predicting.

    **kwargs : dict
        More skorch parameters with double underscores, such as ``module__clip``,
        ``optimizer__weight_decay`` or ``criterion__label_smoothing``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they are strings.

    module_ : MLP
        The trained module.

    history_ : skorch.history.History
        ``train_loss`` and ``train_accuracy`` of every epoch.

    References
    ----------
    Ash, Zhang, Krishnamurthy, Langford, Agarwal. "Deep Batch Active Learning by
    Diverse, Uncertain Gradient Lower Bounds" (BADGE). arXiv:1906.03671.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skbadge.nn import TabularNetClassifier
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> net = TabularNetClassifier(random_state=0).fit(X[::2], y[::2])
    >>> bool(net.score(X[1::2], y[1::2]) > 0.9)
    True
    """

    criterion = torch.nn.CrossEntropyLoss

    _parameter_constraints = {
        **TabularNetMixin._parameter_constraints,
        "train_accuracy": [Interval(Real, 0, 1, closed="right"), None],
        "min_steps": [Interval(Integral, 0, None, closed="left")],
        "classes": ["array-like", None],
    }

    def __init__(
        self,
        *,
        hidden_sizes: Sequence[int] = (256, 256),
        dropout: float = 0.0,
        lr: float = 1e-3,
        max_epochs: int = 300,
        train_accuracy: float | None = 0.99,
        min_steps: int = 100,
        batch_size: int = 64,
        optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        classes: ArrayLike | None = None,
        train_split: Callable[..., Any] | None = None,
        callbacks: Literal["disable"] | list[Any] | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        device: str | torch.device = "cpu",
        verbose: int = 0,
        dataset__dtype: Dtype | None = None,
        iterator_train__shuffle: bool = True,
        iterator_valid__batch_size: int = 4096,
        **kwargs: Any,
    ):
        self.hidden_sizes = hidden_sizes
        self.dropout = dropout
        self.lr = lr
        self.max_epochs = max_epochs
        self.train_accuracy = train_accuracy
        self.min_steps = min_steps
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.classes = classes
        self.train_split = train_split
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.dataset__dtype = dataset__dtype
        self.iterator_train__shuffle = iterator_train__shuffle
        self.iterator_valid__batch_size = iterator_valid__batch_size
        # skorch's constructor does the same with names that it does not know.
        self._params_to_validate = set(kwargs)
        self.__dict__.update(kwargs)

    @property
    def classes_(self) -> NDArray:
        """Labels, sorted."""
        return self.classes_inferred_

    def partial_fit(
        self,
        X: Rows,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Go on training, on these rows only.

        Widths, labels and the statistics that standardise the input stay those of the
        first call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,)
            Their labels.

        classes : array-like of shape (n_classes,) or None, default=None
            All labels that may ever occur, for a first call without the `classes`
            parameter. Later calls may repeat them.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, as in `fit`.

        Returns
        -------
        self : TabularNetClassifier
            The trained net.

        Raises
        ------
        ValueError
            As in `fit`, if ``y`` has labels outside `classes`, if there are fewer than
            two classes, or if ``classes`` differs from the labels of the net.

        FloatingPointError
            If training diverges. The net is not fitted then.
        """
        if not self.initialized_:
            return self._fit(X, y, classes, sample_weight=sample_weight)
        BaseEstimator._validate_params(self)
        known = self.classes_.tolist()
        if classes is not None and np.unique(classes).tolist() != known:
            given = np.asarray(classes).tolist()
            raise ValueError(
                f"classes={given} differ from those of the first call, {known}."
            )
        check_one_label_a_row(y)
        X, y = self._validate(X, y, reset=False)
        check_classification_targets(y)
        weights = checked_weights(sample_weight, X)
        return self._train(X, _encode(y, self.classes_), weights, start_over=False)

    def predict(self, X: Rows) -> NDArray:
        """Predict labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            The most probable labels.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def on_batch_end(
        self, net: NeuralNet, batch: Batch = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Add up the weights of a training batch, and of what was right in it.

        Parameters
        ----------
        net : TabularNetClassifier
            The net itself.

        batch : tuple of tensors
            The batch.

        training : bool, default=False
            Whether the net was trained on it.

        **kwargs : dict
            Results of the step: its ``loss``, and the logits ``y_pred`` before it.
        """
        super().on_batch_end(net, batch=batch, training=training, **kwargs)
        if training and batch is not None:
            predicted = kwargs["y_pred"].detach().argmax(dim=1).cpu()
            marks = predicted == batch[1].cpu()
            weight, correct = weight_of(marks, parted(batch[0])[1])
            self.history.record_batch("train_weight", weight)
            self.history.record_batch("train_correct", correct)

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the training accuracy of the epoch.

        Parameters
        ----------
        net : TabularNetClassifier
            The net itself.

        **kwargs : dict
            The datasets.
        """
        super().on_epoch_end(net, **kwargs)
        batches = self.history[-1]["batches"]
        steps = [step for step in batches if "train_correct" in step]
        correct, weight = (
            sum(step[name] for step in steps)
            for name in ("train_correct", "train_weight")
        )
        if weight == 0:
            raise ValueError(
                "None of the rows that train_split leaves to train on has a "
                "sample_weight above 0. Leave rows without weight out, or set "
                "train_split=None."
            )
        self.history.record("train_accuracy", correct / weight)

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the hooks and callbacks of one moment of training.

        Parameters
        ----------
        method_name : str
            Name of the hook.

        **cb_kwargs : dict
            Its arguments.
        """
        super().notify(method_name, **cb_kwargs)
        if method_name != "on_epoch_end" or self.train_accuracy is None:
            return
        # This ends skorch's loop. `on_epoch_end` is too early: callbacks come after it
        # and would miss the last epoch.
        is_accurate = self.history[-1]["train_accuracy"] >= self.train_accuracy
        if is_accurate and sum(self.history[:, "train_batch_count"]) >= self.min_steps:
            raise KeyboardInterrupt

    def get_split_datasets(
        self, X: Dataset, y: NDArray | None = None, **fit_params: Any
    ) -> tuple[Dataset, Dataset | None]:
        """Return the data set to train on and that of the validation rows.

        Parameters
        ----------
        X : ArrayDataset
            The rows.

        y : ndarray of shape (n_samples,) or None, default=None
            The codes of their labels.

        **fit_params : dict
            Passed to `train_split`.

        Returns
        -------
        dataset_train : Dataset
            The rows to train on.

        dataset_valid : Dataset or None
            The validation rows, if there are any. Labels of rows that `train_split`
            brings along become codes.
        """
        if not self.train_split:
            return self.get_dataset(X, y), None
        split = CodedSplit(self.train_split, self.classes_, "int64")
        return split(self.get_dataset(X, y), y, **fit_params)

    def _n_outputs(self):
        """One logit per class."""
        return len(self.classes_)

    def _fit(self, X, y, classes=None, *, sample_weight=None):
        """Train from scratch, for these classes or those of the parameter."""
        BaseEstimator._validate_params(self)
        classes = self.classes if classes is None else classes
        check_one_label_a_row(y)
        X, y = self._validate(X, y, reset=True)
        check_classification_targets(y)
        labels = np.unique(y if classes is None else classes)
        if len(labels) < 2:
            source = "y" if classes is None else "classes"
            raise ValueError(
                f"A classifier needs at least two classes. {source} contains one class "
                f"only: {listed(labels)}. Set the parameter classes to all labels "
                "that may occur."
            )
        encoded = _encode(y, labels)
        weights = checked_weights(sample_weight, X)
        self.classes_inferred_ = labels
        return self._train(X, encoded, weights, start_over=True)


def _encode(y, labels):
    """Positions of labels among the sorted ``labels``."""
    unknown = set(np.unique(y).tolist()) - set(labels.tolist())
    if unknown:
        raise ValueError(
            f"y has labels that are not among the classes {listed(labels)}: "
            f"{listed(sorted(unknown, key=str))}."
        )
    return np.searchsorted(labels, y).astype(np.int64, copy=False)
