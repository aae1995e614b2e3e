"""What the answers to a batch say about the model that chose it.

Five rooms, each of which knows those before it: ``estimates`` computes, ``assessing``
judges a model, ``against_random`` compares two, ``rounds`` keeps what each batch has
said, and ``planning`` says what is to come. On these stands ``_monitor``.
"""

from skbadge.monitoring._monitor import Monitor
from skbadge.monitoring._monitor_display import MonitorDisplay
from skbadge.monitoring.against_random._against_random import (
    RandomComparison,
    compare_with_random,
)
from skbadge.monitoring.assessing._assess import assess
from skbadge.monitoring.assessing._audit import audit
from skbadge.monitoring.estimates._assessment import Assessment
from skbadge.monitoring.estimates._risk import RiskEstimate, risk_estimate
from skbadge.monitoring.planning._forecast import Forecast, forecast_labels
from skbadge.monitoring.planning._stopping import (
    StoppingAdvice,
    StoppingCriterion,
    stopping_advice,
)
from skbadge.monitoring.rounds._monitored_round import MonitoredRound

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
