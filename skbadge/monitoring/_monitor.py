"""Monitor: what the rounds of active learning say, one after the other."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbadge.monitoring._monitored_round import MonitoredRound
from skbadge.querier import QueryReport
from skbadge.utils._typing import RandomState, Rows


class Monitor:
    """Watches the rounds of active learning."""

    rounds: list[MonitoredRound]

    def __init__(
        self,
        X_pool: Rows | None = None,
        *,
        n_reference: int = 1000,
        audit: tuple[Rows, ArrayLike] | None = None,
        metric: str = "accuracy",
        interval: str | None = None,
        confidence: float = 0.95,
        n_folds: int = 10,
        max_loss: float | None = None,
        pos_label: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.rounds = []

    def add(
        self,
        querier: BaseEstimator,
        report: QueryReport,
        X_new: Rows,
        y_new: ArrayLike,
    ) -> MonitoredRound:
        """Keep what a batch and its answers say; call it before ``partial_fit``."""
        raise NotImplementedError

    def extend_audit(self, X: Rows, y: ArrayLike) -> Self:
        """Have more rows in the audit, for the rounds to come."""
        raise NotImplementedError
