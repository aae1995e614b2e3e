"""Training by a falling learning rate, and keeping the weights of the best epoch."""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from skorch import NeuralNet
from torch.utils.data import Dataset

from skbadge.nn._iterator import Batch
from skbadge.utils._streams import optional_seed


@dataclass(eq=False)
class _Run:
    """The progress of one call of `fit` or `partial_fit`."""

    validation: object
    n_steps: int = 0
    step: int = 0
    best_loss: float = math.inf
    best_epoch: int | None = None
    best_weights: dict | None = None


class BestEpochMixin(NeuralNet):
    """Gives a skorch net a linear learning-rate schedule and its best epoch's weights.

    It goes before `TabularNetMixin` among the bases. The net has the parameters
    ``lr_schedule``, ``keep_best``, ``validation_fraction`` and ``validation_data``, and
    a method ``_validate_rows``. It trains inside ``_run_of``.
    """

    def _hold_out(self, X, y, weights):
        """Rows to train on, and others to choose the epoch by, or None."""
        if self.validation_data is not None:
            if self.validation_fraction is not None:
                raise ValueError(
                    "validation_fraction must be None if validation_data is given. Got "
                    f"{self.validation_fraction} instead."
                )
            if len(self.validation_data) != 2:
                raise ValueError(
                    "validation_data must be a pair (X, y). Got "
                    f"{len(self.validation_data)} entries."
                )
            validation = self._validate_rows(*self.validation_data, reset=False)
            return X, y, weights, (*validation, None)
        if self.validation_fraction is None:
            return X, y, weights, None
        seed = optional_seed(self.random_state, "validation")
        # Rows without weight are as if they were not there.
        rows = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
        if len(rows) < 2:
            raise ValueError(
                "validation_fraction needs at least two rows that have a weight. Got "
                f"{len(rows)} of {len(y)}."
            )
        kept, held_out = train_test_split(
            rows, test_size=self.validation_fraction, random_state=seed
        )
        weights_val = None
        if weights is not None:
            weights, weights_val = weights[kept], weights[held_out]
        return X[kept], y[kept], weights, (X[held_out], y[held_out], weights_val)

    @contextmanager
    def _run_of(self, validation):
        """Train inside, with validation rows or None; restore the learning rates."""
        self._run = _Run(validation)
        try:
            yield
        finally:
            del self._run
            for group in self.optimizer_.param_groups if self.initialized_ else ():
                group["lr"] = group.pop("initial_lr", group["lr"])

    def get_split_datasets(
        self, X: Dataset, y: NDArray | None = None, **fit_params: Any
    ) -> tuple[Dataset, Dataset | None]:
        """Return the data set to train on and the data set of the validation rows.

        Parameters
        ----------
        X : ArrayDataset
            The rows to train on.

        y : ndarray of shape (n_samples, n_outputs) or None, default=None
            Their standardised targets.

        **fit_params : dict
            Not used.

        Returns
        -------
        dataset_train : ArrayDataset
            ``X``.

        dataset_valid : ArrayDataset or None
            The validation rows, if there are any.
        """
        dataset = self.get_dataset(X, y)
        n_batches = len(self.get_iterator(dataset, training=True))
        self._run.n_steps = self.max_epochs * n_batches
        return dataset, self._run.validation

    def get_iterator(self, dataset: Dataset, training: bool = False) -> Any:
        """Return the batches of a data set, at least one.

        Parameters
        ----------
        dataset : ArrayDataset
            The rows.

        training : bool, default=False
            Whether the net trains on them.

        Returns
        -------
        iterator : TensorBatches
            The batches. A data set of less than one batch keeps its rows, even with
            ``drop_last``.
        """
        iterator = super().get_iterator(dataset, training=training)
        if len(iterator) == 0:
            iterator.drop_last = False
        return iterator

    def on_batch_begin(
        self, net: NeuralNet, batch: Batch = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Set the learning rate of a training step.

        Parameters
        ----------
        net : object
            The net itself.

        batch : tuple of tensors
            The batch.

        training : bool, default=False
            Whether the net trains on it.

        **kwargs : dict
            Not used.
        """
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        if not training or self.lr_schedule is None:
            return
        # lr * (1 - step / n_steps)
        share = 1 - self._run.step / self._run.n_steps
        for group in self.optimizer_.param_groups:
            group["lr"] = share * group.setdefault("initial_lr", group["lr"])
        self._run.step += 1

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Keep the weights if their loss on the validation rows is the least so far.

        Parameters
        ----------
        net : object
            The net itself.

        **kwargs : dict
            The data sets.
        """
        super().on_epoch_end(net, **kwargs)
        run = self._run
        if run.validation is None or not self.keep_best:
            return
        batches = self.history[-1]["batches"]
        valid = [batch for batch in batches if "valid_loss" in batch]
        sizes = [batch["valid_batch_size"] for batch in valid]
        loss = np.average([batch["valid_loss"] for batch in valid], weights=sizes)
        if loss < run.best_loss:
            run.best_loss, run.best_epoch = loss, len(self.history)
            weights = self.module_.state_dict()
            run.best_weights = {name: part.clone() for name, part in weights.items()}

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Put the best epoch's weights in place.

        Parameters
        ----------
        net : object
            The net itself.

        **kwargs : dict
            The data.
        """
        self.best_epoch_ = self._run.best_epoch
        if self._run.best_weights is not None:
            self.module_.load_state_dict(self._run.best_weights)
        super().on_train_end(net, **kwargs)
