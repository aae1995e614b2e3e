"""What the answers to a batch say about the model that chose it."""

from skbadge.monitoring._risk import RiskEstimate, risk_estimate

__all__ = ["RiskEstimate", "risk_estimate"]
