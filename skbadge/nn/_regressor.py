"""A ready neural net regressor for tables."""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, Literal, NoReturn, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from skorch import NeuralNetRegressor

from skbadge._compat import Interval, StrOptions
from skbadge.nn._best_epoch import BestEpochMixin
from skbadge.nn._dataset import Dtype
from skbadge.nn._mlp import ACTIVATIONS, Activation
from skbadge.nn._ntk import NTKMLP
from skbadge.nn._row_weights import checked_weights, with_weights
from skbadge.nn._tabular import TabularNetMixin
from skbadge.nn._targets import TargetScaler, check_targets
from skbadge.utils._typing import RandomState, Rows

# sigma_w, sigma_b and the learning rate from the benchmark for each activation.
TUNED = {"relu": (0.2, 0.2, 0.375), "silu": (0.5, 1.0, 0.15)}


class TabularNetRegressor(BestEpochMixin, TabularNetMixin, NeuralNetRegressor):
    """Multi-layer perceptron for regression on numeric tables.

    The network and the training of the benchmark for deep batch active learning for
    regression [1]_. It has three linear layers in the neural-tangent parametrisation.
    Adam trains it from scratch on the mean squared error, with a learning rate that
    falls linearly to zero. It needs no set-up: it takes its widths from the data, and
    standardises columns and targets.

    Parameters
    ----------
    hidden_sizes : sequence of int, default=(512, 512)
        Widths of the hidden layers. An empty one gives a linear model.

    activation : {"relu", "silu"}, default="relu"
        Nonlinearity of the hidden layers.

    sigma_w, sigma_b : float or None, default=None
        Factors of weights and biases, see `NTKLinear`. None takes those of the
        benchmark: 0.2 and 0.2 for "relu", 0.5 and 1.0 for "silu".

    lr : float or None, default=None
        Initial learning rate. None takes that of the benchmark: 0.375 for "relu",
        0.15 for "silu". The parametrisation needs such large ones.

    lr_schedule : {"linear"} or None, default="linear"
        Learning rate of a step: ``lr * (1 - step / n_steps)``, or always ``lr``. Each
        call that trains restarts the schedule.

    max_epochs : int, default=256
        Epochs of one call of `fit` or `partial_fit`.

    batch_size : int, default=256
        Rows in a training batch; -1 for all.

    validation_fraction : float or None, default=None
        Share of the rows, in (0, 1), to hold out. The net keeps the weights of the
        epoch with the least loss on them. None holds out none.

    validation_data : tuple (X, y) or None, default=None
        Other rows to choose the epoch by, and their targets, as in the benchmark. In
        a Pipeline, these are outputs of the steps before the net. Without validation
        rows, the net keeps the weights of the last epoch.

    keep_best : bool, default=True
        Whether to keep the weights of the best epoch, if there are validation rows.
        With False, the history records their ``valid_loss`` all the same.

    standardize : bool, default=True
        Whether to centre and scale columns and targets by the statistics of the
        training rows. False is for data that is standardised already; the bound on
        inputs, ``module__clip``, holds all the same.

    dropout : float, default=0.0
        Share of hidden units zeroed during training, in [0, 1). Not in the benchmark.

    optimizer : type, default=torch.optim.Adam
        Optimiser class. ``optimizer__weight_decay`` and the like reach it. On a CPU
        steps of Adam are fused, unless ``optimizer__fused`` says otherwise.

    callbacks : None, "disable" or list, default=None
        More skorch callbacks. Schedule and best epoch work without callbacks.

    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.

    random_state : int, RandomState or None, default=None
        Seeds initial weights, shuffling, dropout and the rows to hold out, without a
        change to torch's global generator. None draws from the global generators.

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

    iterator_train__drop_last : bool, default=True
        Whether an epoch leaves out a last batch of fewer than ``batch_size`` rows,
        unless it is the only one.

    iterator_valid__batch_size : int, default=4096
        Rows in a batch when predicting.

    **kwargs : dict
        More skorch parameters with double underscores, such as ``module__clip`` or
        ``optimizer__weight_decay``.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they are strings.

    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the targets, float64; a standard deviation of 0
        counts as 1.

    best_epoch_ : int or None
        The epoch of the weights, counted from 1 as in the history; None for the last.

    module_ : NTKMLP
        The trained module.

    history_ : skorch.history.History
        ``train_loss`` of every epoch, and ``valid_loss`` if there are validation rows,
        in units of the standardised targets.

    Notes
    -----
    Differences from the benchmark:

    - The benchmark standardises columns by training set and pool together, and targets
      by all rows. This class uses the training rows only, because an estimator sees no
      others. For the benchmark's way, standardise first and set ``standardize=False``.
    - The benchmark chooses the epoch by 1024 rows that it does not count as labelled.
      Pass such rows as ``validation_data``.
    - With fewer rows than a batch, the benchmark takes no step. Here they are a batch.
    - The benchmark has one output. Here each target has an output and a standard
      deviation, and the loss is the mean over them.

    References
    ----------
    .. [1] Holzmüller, Zaverkin, Kästner, Steinwart. "A framework and benchmark for
       deep batch active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skbadge.nn import TabularNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = TabularNetRegressor(
    ...     hidden_sizes=(64, 64), validation_fraction=0.2, random_state=0
    ... ).fit(X[::2], y[::2])
    >>> bool(net.score(X[1::2], y[1::2]) > 0.4)
    True
    """

    module = NTKMLP
    criterion = torch.nn.MSELoss
    train_split = None

    _parameter_constraints = {
        **TabularNetMixin._parameter_constraints,
        "activation": [StrOptions(set(ACTIVATIONS))],
        "sigma_w": [Interval(Real, 0, None, closed="neither"), None],
        "sigma_b": [Interval(Real, 0, None, closed="left"), None],
        "lr": [Interval(Real, 0, None, closed="neither"), None],
        "lr_schedule": [StrOptions({"linear"}), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "validation_data": [tuple, list, None],
        "keep_best": ["boolean"],
        "standardize": ["boolean"],
    }

    def __init__(
        self,
        *,
        hidden_sizes: Sequence[int] = (512, 512),
        activation: Activation = "relu",
        sigma_w: float | None = None,
        sigma_b: float | None = None,
        lr: float | None = None,
        lr_schedule: Literal["linear"] | None = "linear",
        max_epochs: int = 256,
        batch_size: int = 256,
        validation_fraction: float | None = None,
        validation_data: tuple[Rows, ArrayLike] | None = None,
        keep_best: bool = True,
        standardize: bool = True,
        dropout: float = 0.0,
        optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        callbacks: Literal["disable"] | list[Any] | None = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        device: str | torch.device = "cpu",
        verbose: int = 0,
        dataset__dtype: Dtype | None = None,
        iterator_train__shuffle: bool = True,
        iterator_train__drop_last: bool = True,
        iterator_valid__batch_size: int = 4096,
        **kwargs: Any,
    ):
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.sigma_w = sigma_w
        self.sigma_b = sigma_b
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.validation_data = validation_data
        self.keep_best = keep_best
        self.standardize = standardize
        self.dropout = dropout
        self.optimizer = optimizer
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.verbose = verbose
        self.dataset__dtype = dataset__dtype
        self.iterator_train__shuffle = iterator_train__shuffle
        self.iterator_train__drop_last = iterator_train__drop_last
        self.iterator_valid__batch_size = iterator_valid__batch_size
        # skorch's constructor does the same with names that it does not know.
        self._params_to_validate = set(kwargs)
        self.__dict__.update(kwargs)

    def partial_fit(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Go on training, on these rows only.

        Widths, and the statistics that standardise input and targets, stay those of
        the first call.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, as in `fit`.

        Returns
        -------
        self : TabularNetRegressor
            The trained net.

        Raises
        ------
        ValueError
            As in `fit`, and if ``y`` has another shape than in the first call.

        FloatingPointError
            If training diverges. The net is not fitted then.
        """
        start_over = not self.initialized_
        return self._fit(X, y, sample_weight=sample_weight, start_over=start_over)

    def predict(self, X: Rows) -> NDArray:
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            float64, in the shape and the units of the targets in `fit`.
        """
        outputs = [each.cpu().numpy() for each in self.forward_iter(X, training=False)]
        return self._targets.decode(np.concatenate(outputs))

    @property
    def predict_proba(self) -> NoReturn:
        """Not available. skorch gives it to every net, but targets have no classes."""
        raise AttributeError(f"{type(self).__name__} predicts no probabilities.")

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Iterable[tuple[str, torch.nn.Parameter]]
    ) -> tuple[Any, dict[str, Any]]:
        """Collect the parameters of the optimiser, with its learning rate.

        Parameters
        ----------
        prefix : str
            Name of the optimiser.

        named_parameters : iterator of (str, Parameter)
            The parameters to train.

        Returns
        -------
        args : tuple
            The parameter groups.

        kwargs : dict
            Parameters by name.
        """
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        if kwargs["lr"] is None:
            kwargs["lr"] = TUNED[self.activation][2]
        return args, kwargs

    def _n_outputs(self):
        """One output per target."""
        return len(self.target_mean_)

    def _module_params(self):
        sigma_w, sigma_b, _ = TUNED[self.activation]
        return super()._module_params() | {
            "activation": self.activation,
            "sigma_w": sigma_w if self.sigma_w is None else self.sigma_w,
            "sigma_b": sigma_b if self.sigma_b is None else self.sigma_b,
        }

    def _divergence(self, symptom):
        lr = TUNED[self.activation][2] if self.lr is None else self.lr
        hint = "" if self.standardize else " Or standardise columns and targets."
        return FloatingPointError(
            f"Training diverged in epoch {len(self.history)}: {symptom}. Lower lr, "
            f"which is {lr}.{hint}"
        )

    def _set_statistics(self, X, weights):
        if self.standardize:
            super()._set_statistics(X, weights)

    def _fit(self, X, y, *, sample_weight=None, start_over=True):
        """Train from scratch, or go on, with validation rows if there are any."""
        BaseEstimator._validate_params(self)
        X, y = self._validate_rows(X, y, reset=start_over)
        weights = checked_weights(sample_weight, X)
        X, y, weights, validation = self._hold_out(X, y, weights)
        if start_over:
            targets = TargetScaler.of(y, weights, standardize=self.standardize)
        else:
            targets = self._targets
        encoded = targets.encode(y)
        if validation is not None:
            X_val, y_val, weights_val = validation
            y_val = targets.encode(y_val, "y of validation_data")
            validation = super().get_dataset(with_weights(X_val, weights_val), y_val)
        self._targets = targets
        self.target_mean_, self.target_scale_ = targets.mean, targets.scale
        with self._run_of(validation):
            return self._train(X, encoded, weights, start_over=start_over)

    def _validate_rows(self, X, y, *, reset):
        """Rows and targets, checked."""
        X, y = self._validate(X, y, reset=reset, multi_output=True, y_numeric=True)
        return X, check_targets(y)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
