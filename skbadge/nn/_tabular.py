"""The base of the nets for tables: validation, widths, seeds, failures."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, PassthroughScoring, PrintLog
from skorch.utils import is_dataset
from torch.nn import Module
from torch.utils.data import Dataset

from skbadge._compat import EachIn, Interval
from skbadge.nn._dataset import ArrayDataset
from skbadge.nn._iterator import Batch, TensorBatches
from skbadge.nn._mlp import MLP, column_statistics
from skbadge.nn._row_weights import RowWeightsMixin, parted, with_weights
from skbadge.utils._shared_state import seeded
from skbadge.utils._streams import optional_seed
from skbadge.utils._typing import Rows
from skbadge.utils._validation import check_masked

# Optimisers that take fused steps on a CPU, and what says how they take them.
_FUSED = (torch.optim.Adam, torch.optim.AdamW)
_NOT_FUSED = {"fused", "foreach", "differentiable", "capturable"}

_STORED = ("module", "criterion", "dataset", "iterator_train", "iterator_valid")


class TabularNetMixin(RowWeightsMixin):
    """Makes a skorch net take its widths from a table and behave like scikit-learn.

    It goes before a skorch net class among the bases. The constructor of the class
    stores its parameters and does not call skorch's constructor, which also stores the
    state of the net: scikit-learn wants only parameters there. Class attributes hold
    the initial state, and the skorch parameters that a net for tables fixes.
    """

    module: type[torch.nn.Module] = MLP
    dataset = ArrayDataset
    iterator_train = TensorBatches
    iterator_valid = TensorBatches
    predict_nonlinearity = "auto"
    compile = False
    use_caching = "auto"
    torch_load_kwargs = None

    history_ = None
    initialized_ = False
    virtual_params_: Mapping[str, Any] = MappingProxyType({})

    _parameter_constraints = {
        "hidden_sizes": [EachIn(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    @property
    def _default_callbacks(self):
        return [
            ("epoch_timer", EpochTimer()),
            ("train_loss", PassthroughScoring("train_loss", on_train=True)),
            ("valid_loss", PassthroughScoring("valid_loss")),
            ("print_log", PrintLog()),
        ]

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """List the callbacks of every net. Only a verbose net has those that print.

        Returns
        -------
        callbacks : list of (str, Callback)
            The callbacks and their names.
        """
        # PrintLog formats its line even if nobody sees it. On a small table, that takes
        # as long as the epoch.
        printing = () if self.verbose else ("epoch_timer", "print_log")
        return [item for item in self._default_callbacks if item[0] not in printing]

    def _get_param_names(self):
        # skorch takes its own attribute `_params_to_validate` for a parameter.
        return [name for name in super()._get_param_names() if name[0] != "_"]

    def _validate_params(self):
        """Check values as scikit-learn does, and names as skorch does."""
        BaseEstimator._validate_params(self)
        super()._validate_params()

    def __repr__(self, N_CHAR_MAX=700):
        return BaseEstimator.__repr__(self, N_CHAR_MAX=N_CHAR_MAX)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def set_params(self, **kwargs: Any) -> Self:
        """Set parameters. Those of the module take effect at the next `fit`.

        Parameters
        ----------
        **kwargs : dict
            Parameters by name.

        Returns
        -------
        self : object
            The net.
        """
        # On a fitted net, skorch would replace the trained module by an untrained one,
        # and refuse parameters of data sets and iterators. On a net that is not
        # fitted, it would build callbacks at once, and fail on invalid values.
        stored = [name for name in kwargs if name.partition("__")[0] in _STORED]
        if "callbacks" in kwargs and not self.initialized_:
            stored.append("callbacks")
        for name in stored:
            setattr(self, name, kwargs.pop(name))
            self._params_to_validate.add(name)
        return super().set_params(**kwargs)

    def fit(
        self, X: Rows, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train from scratch, or go on if ``warm_start`` is set.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows. Sparse rows are made dense batch by batch.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their labels, or their targets, of which a regressor takes several.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows, at least 0 and not all 0. A row of weight 2 counts as
            two rows do in the loss, in the statistics that standardise and in the
            training accuracy. Only the ratios of weights matter.

        Returns
        -------
        self : object
            The trained net.

        Raises
        ------
        ValueError
            If a parameter or the data is not valid. A classifier needs at least two
            classes, and no labels outside its parameter ``classes``.

        FloatingPointError
            If training diverges. The net is not fitted then.
        """
        if self.warm_start and self.initialized_:
            return self.partial_fit(X, y, sample_weight=sample_weight)
        return self._fit(X, y, sample_weight=sample_weight)

    def check_data(self, X: Dataset, y: NDArray | None = None) -> None:
        """Do nothing: `fit` checks and encodes the data before training.

        Parameters
        ----------
        X : ArrayDataset
            The rows.

        y : ndarray
            The encoded targets.
        """

    def initialize_module(self) -> Self:
        """Build the module, with the widths of the data if they are known.

        Returns
        -------
        self : object
            The net.
        """
        kwargs = self._module_params() | self.get_params_for("module")
        if hasattr(self, "n_features_in_"):
            kwargs["n_features"] = self.n_features_in_
            kwargs["n_outputs"] = self._n_outputs()
        self.module_ = self.module(**kwargs)
        return self

    def _module_params(self):
        """Parameters of the module that are parameters of the net."""
        return {"hidden_sizes": self.hidden_sizes, "dropout": self.dropout}

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Iterable[tuple[str, torch.nn.Parameter]]
    ) -> tuple[Any, dict[str, Any]]:
        """Collect the parameters of the optimiser; on a CPU, Adam's steps are fused.

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
        # One kernel in place of a dozen: a fifth of the time of a step.
        if (
            self.optimizer in _FUSED
            and torch.device(self.device).type == "cpu"
            and torch.__version__ >= "2.4"
            and not kwargs.keys() & _NOT_FUSED
        ):
            kwargs["fused"] = True
        return args, kwargs

    def _set_training(self, training=True):
        # To look at the modules takes a third of the time of setting each one's mode.
        roots = (getattr(self, f"{name}_") for name in self._modules + self._criteria)
        roots = (root for root in roots if isinstance(root, Module))
        parts = (part for root in roots for part in root.modules())
        if any(part.training != training for part in parts):
            super()._set_training(training)

    def get_dataset(self, X: Rows, y: ArrayLike | None = None) -> Dataset:
        """Validate rows and wrap them in the net's dataset.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Dataset
            The rows. A dataset is returned as it is.

        y : array-like of shape (n_samples,) or None, default=None
            Targets, in the form that the criterion expects.

        Returns
        -------
        dataset : Dataset
            The dataset.
        """
        if not is_dataset(X):
            rows, weights = parted(X)
            X = with_weights(self._validate(rows, reset=False), weights)
        return super().get_dataset(X, y)

    def on_batch_end(
        self, net: NeuralNet, batch: Batch = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Stop training with an error if the loss is not finite.

        Parameters
        ----------
        net : object
            The net itself.

        batch : tuple of tensors
            The batch.

        training : bool, default=False
            Whether the net was trained on it.

        **kwargs : dict
            Results of the step, with its ``loss``.

        Raises
        ------
        FloatingPointError
            If training diverged.
        """
        super().on_batch_end(net, batch=batch, training=training, **kwargs)
        loss = kwargs["loss"].item()
        if training and not math.isfinite(loss):
            raise self._divergence(f"the loss is {loss}")

    def _divergence(self, symptom):
        """The error for training that diverged."""
        return FloatingPointError(
            f"Training diverged in epoch {len(self.history)}: {symptom}. Lower lr, "
            f"which is {self.lr}. The units of the columns of X are not the cause, "
            "because the net standardises its input."
        )

    def _validate(self, X, y="no_validation", *, reset, **params):
        """Rows as a float array or CSR matrix, and targets if there are any."""
        check_masked(X, "X")
        check_masked(y, "y")
        return validate_data(
            self,
            X,
            y,
            reset=reset,
            accept_sparse="csr",
            dtype=(np.float64, np.float32),
            **params,
        )

    def _set_statistics(self, X, weights):
        """Let the module standardise its input by the statistics of these rows."""
        self.module_.set_statistics(*column_statistics(X, weights))

    def _train(self, X, y, weights, *, start_over):
        """Train on validated rows and encoded targets; a failure leaves no net."""
        # A later call must not repeat the shuffles of the first one.
        epochs_done = 0 if start_over else len(self.history)
        seed = optional_seed(self.random_state, f"training-{epochs_done}")
        dataset = super().get_dataset(with_weights(X, weights), y)
        try:
            with seeded(seed):
                if start_over:
                    self.initialize()
                    self._set_statistics(parted(dataset.X)[0], weights)
                super().partial_fit(dataset, y)
            parameters = self.module_.parameters()
            if not all(torch.isfinite(values).all() for values in parameters):
                raise self._divergence("a weight is not finite")
        except Exception:
            self.initialized_ = False
            if hasattr(self, "module_"):
                del self.module_
            raise
        return self
