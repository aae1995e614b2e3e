"""What the answers to a batch say about the model that chose it."""

from skbadge.monitoring._assess import assess
from skbadge.monitoring._assessment import Assessment
from skbadge.monitoring._audit import audit
from skbadge.monitoring._monitor import Monitor
from skbadge.monitoring._monitored_round import MonitoredRound
from skbadge.monitoring._risk import RiskEstimate, risk_estimate

__all__ = [
    "Assessment",
    "Monitor",
    "MonitoredRound",
    "RiskEstimate",
    "assess",
    "audit",
    "risk_estimate",
]
