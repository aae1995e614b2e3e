"""What the studies measure besides scores of predictions."""

from sklearn.base import BaseEstimator

from skbadge.inspection import batch_diagnostics
from skbadge.outputs import model_outputs
from skbadge.strategies import Badge, get_strategy


class Batch(BaseEstimator):
    """A diagnostic of the batch that a strategy selects from the rows for testing.

    A scorer: all strategies are asked about the same rows, and by the same model.

    Parameters
    ----------
    strategy : str
        Which strategy selects.

    diagnostic : {"log_det", "mean_norm"}
        Of the batch's gradient embeddings: the log-determinant of their Gram matrix, or
        the mean of their norms.

    n : int, default=100
        Rows to select.
    """

    def __init__(self, strategy, diagnostic, n=100):
        self.strategy = strategy
        self.diagnostic = diagnostic
        self.n = n

    def __call__(self, querier, X, y):
        """Return the diagnostic of a batch from X."""
        outputs = model_outputs(querier.estimator_, X)
        rows = get_strategy(self.strategy).select(
            outputs, self.n, random_state=len(querier.y_labeled_)
        )
        diagnostics = batch_diagnostics(Badge().embed(outputs), rows)
        return getattr(diagnostics, self.diagnostic)
