"""Training by a falling learning rate, and keeping the weights of the best epoch."""

import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class _Run:
    """What one call that trains knows of its progress."""

    validation: object
    n_steps: int = 0
    step: int = 0
    best_loss: float = math.inf
    best_epoch: int | None = None
    best_weights: dict | None = None


class BestEpochMixin:
    """Gives a skorch net a linear learning-rate schedule and its best epoch's weights.

    Goes before `TabularNetMixin` among the bases, which have the parameters
    ``lr_schedule`` and ``keep_best``. Training happens inside ``_run_of``.
    """

    @contextmanager
    def _run_of(self, validation):
        """Train inside, watching a data set, or None; learning rates are restored."""
        self._run = _Run(validation)
        try:
            yield
        finally:
            del self._run
            for group in self.optimizer_.param_groups if self.initialized_ else ():
                group["lr"] = group.pop("initial_lr", group["lr"])

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return the data set to train on, and that of the validation rows.

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

    def get_iterator(self, dataset, training=False):
        """Return the batches of a data set; the only one is never left out.

        Parameters
        ----------
        dataset : ArrayDataset
            The rows.

        training : bool, default=False
            Whether they are to be trained on.

        Returns
        -------
        iterator : TensorBatches
            The batches.
        """
        iterator = super().get_iterator(dataset, training=training)
        if len(iterator) == 0:
            iterator.drop_last = False
        return iterator

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Set the learning rate of a training step.

        Parameters
        ----------
        net : object
            The net itself.

        batch : tuple of tensors
            The batch.

        training : bool, default=False
            Whether it is to be trained on.

        **kwargs : dict
            Not used.
        """
        super().on_batch_begin(net, batch=batch, training=training, **kwargs)
        if not training or self.lr_schedule is None:
            return
        share = 1 - self._run.step / self._run.n_steps
        for group in self.optimizer_.param_groups:
            group["lr"] = share * group.setdefault("initial_lr", group["lr"])
        self._run.step += 1

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights if no epoch before was better on the validation rows.

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

    def on_train_end(self, net, **kwargs):
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
