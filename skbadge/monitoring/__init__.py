"""What the answers to a batch say about the model that chose it."""

from skbadge.monitoring._against_random import RandomComparison, compare_with_random
from skbadge.monitoring._assess import assess
from skbadge.monitoring._assessment import Assessment
from skbadge.monitoring._audit import audit
from skbadge.monitoring._forecast import Forecast, forecast_labels
from skbadge.monitoring._monitor import Monitor
from skbadge.monitoring._monitor_display import MonitorDisplay
from skbadge.monitoring._monitored_round import MonitoredRound
from skbadge.monitoring._risk import RiskEstimate, risk_estimate
from skbadge.monitoring._stopping import (
    StoppingAdvice,
    StoppingCriterion,
    stopping_advice,
)

__all__ = [
    "Assessment",
    "Forecast",
    "Monitor",
    "MonitorDisplay",
    "MonitoredRound",
    "RandomComparison",
    "RiskEstimate",
    "StoppingAdvice",
    "StoppingCriterion",
    "assess",
    "audit",
    "compare_with_random",
    "forecast_labels",
    "risk_estimate",
    "stopping_advice",
]
