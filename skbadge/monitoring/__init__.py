"""What the answers to a batch say about the model that chose it."""

from skbadge.monitoring._assess import assess
from skbadge.monitoring._assessment import Assessment
from skbadge.monitoring._audit import audit
from skbadge.monitoring._monitored_round import MonitoredRound
from skbadge.monitoring._risk import RiskEstimate, risk_estimate
from skbadge.monitoring._stopping import (
    StoppingAdvice,
    StoppingCriterion,
    stopping_advice,
)

__all__ = [
    "Assessment",
    "MonitoredRound",
    "RiskEstimate",
    "StoppingAdvice",
    "StoppingCriterion",
    "assess",
    "audit",
    "risk_estimate",
    "stopping_advice",
]
