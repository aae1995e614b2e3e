"""What readers share."""

from abc import ABC, abstractmethod
from dataclasses import replace

from skbadge.outputs._outputs import Outputs


class Reader(ABC):
    """Reads what a fitted model says about rows: one class for each family of models.

    Parameters
    ----------
    model : estimator object
        Fitted, without wrappers.
    """

    def __init__(self, model):
        self.model = model

    def read(self, X, needs, options):
        """Read all that is needed, and nothing else.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows as the model takes them.

        needs : Needs
            At least one of its `fields` is needed.

        options : ReadingOptions
            How to read it.

        Returns
        -------
        outputs : Outputs
            Checked.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        TypeError, ValueError
            If it does not have what is needed, see `model_outputs`.
        """
        self._check_fitted()
        outputs = None
        if needs.fields != ("posterior",):
            outputs = self._read_plain(X, needs, options)
        if needs.posterior:
            posterior = self._read_posterior(X, needs, options)
            outputs = with_fields(outputs, posterior=posterior)
        return outputs

    @abstractmethod
    def _check_fitted(self):
        """Raise `NotFittedError` unless the model is fitted."""

    @abstractmethod
    def _read_plain(self, X, needs, options):
        """`Outputs` with all that is needed but posterior samples."""

    @abstractmethod
    def _read_posterior(self, X, needs, options):
        """Posterior samples, a float32 array (n_posterior, n_rows, n_outputs)."""


def with_fields(outputs, **fields):
    """Outputs with further fields; None stands for no others."""
    return Outputs(**fields) if outputs is None else replace(outputs, **fields)
