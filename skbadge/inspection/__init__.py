"""Looking at what was selected, and at what came of it."""

from skbadge.embeddings._diagnostics import BatchDiagnostics, batch_diagnostics
from skbadge.inspection._efficiency import label_efficiency
from skbadge.inspection._error_cdf import NormalizedErrorCDF, normalized_error_cdf
from skbadge.inspection._error_tails import ErrorTails, error_tails
from skbadge.inspection._labels_saved import labels_saved
from skbadge.inspection._learning_curves import learning_curves
from skbadge.inspection._mean_log_errors import MeanLogErrors, mean_log_errors
from skbadge.inspection._mean_ranks import MeanRanks, mean_ranks
from skbadge.inspection._paired_tests import paired_tests
from skbadge.inspection._penalty import PenaltyMatrix, penalty_matrix
from skbadge.inspection._penalty_null import penalty_null
from skbadge.inspection._plot._batch_diagnostics_display import BatchDiagnosticsDisplay
from skbadge.inspection._plot._error_cdf_display import ErrorCDFDisplay
from skbadge.inspection._plot._error_ratio_display import ErrorRatioDisplay
from skbadge.inspection._plot._error_tails_display import ErrorTailsDisplay
from skbadge.inspection._plot._learning_curve_display import ActiveLearningCurveDisplay
from skbadge.inspection._plot._mean_ranks_display import MeanRanksDisplay
from skbadge.inspection._plot._penalty_matrix_display import PenaltyMatrixDisplay
from skbadge.inspection._plot._query_display import QueryDisplay
from skbadge.inspection._plot._run_times_display import RunTimesDisplay
from skbadge.inspection._plot._style import strategy_styles
from skbadge.inspection._regret import Regret, regret
from skbadge.inspection._run_times import run_times

__all__ = [
    "ActiveLearningCurveDisplay",
    "BatchDiagnostics",
    "BatchDiagnosticsDisplay",
    "ErrorCDFDisplay",
    "ErrorRatioDisplay",
    "ErrorTails",
    "ErrorTailsDisplay",
    "MeanLogErrors",
    "MeanRanks",
    "MeanRanksDisplay",
    "NormalizedErrorCDF",
    "PenaltyMatrix",
    "PenaltyMatrixDisplay",
    "QueryDisplay",
    "Regret",
    "RunTimesDisplay",
    "batch_diagnostics",
    "error_tails",
    "label_efficiency",
    "labels_saved",
    "learning_curves",
    "mean_log_errors",
    "mean_ranks",
    "normalized_error_cdf",
    "paired_tests",
    "penalty_matrix",
    "penalty_null",
    "regret",
    "run_times",
    "strategy_styles",
]
