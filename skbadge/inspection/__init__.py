"""Looking at what was selected."""

from skbadge.embeddings._diagnostics import BatchDiagnostics, batch_diagnostics

__all__ = ["BatchDiagnostics", "batch_diagnostics"]
