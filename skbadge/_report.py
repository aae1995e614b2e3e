"""What a query did."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skbadge.embeddings import Embedding
from skbadge.embeddings._diagnostics import batch_diagnostics


@dataclass(frozen=True, eq=False)
class QueryReport:
    """What a query did, and what it cost.

    Attributes
    ----------
    strategy : str
        The strategy, with the parameters that differ from its defaults.

    n_pool : int
        Rows there were to choose from.

    rows : ndarray of shape (n,)
        The positions returned, in order of selection.

    values : ndarray of shape (n,) or None
        What each row was selected for: its score, or the weight or distance it had at
        that moment. `value_name` says which.

    value_name : str
        What the values are.

    norms : ndarray of shape (n,) or None
        Norms of the selected rows' embeddings.

    embedding : Embedding of shape (n, n_columns) or None
        The selected rows' embeddings, where the strategy has any.

    diagnostics : BatchDiagnostics or None
        Log-determinant, mean norm and least distance of these embeddings, see
        `skbadge.inspection.batch_diagnostics`. Computed when first asked for.

    fallbacks : tuple of str
        Where the strategy could not go on as usual, and what was done instead.

    seconds : dict of str to float
        Wall-clock time of reading the model's outputs ("outputs") and of the selection
        ("select").

    nbytes : int
        Bytes held by the model's outputs and the embeddings.

    n_distances : int
        Distances evaluated.
    """

    strategy: str
    n_pool: int
    rows: np.ndarray
    values: np.ndarray | None
    value_name: str
    norms: np.ndarray | None
    fallbacks: tuple
    seconds: dict = field(default_factory=dict)
    nbytes: int = 0
    n_distances: int = 0
    embedding: Embedding | None = None

    @cached_property
    def diagnostics(self):
        """How diverse and how uncertain the batch is."""
        return None if self.embedding is None else batch_diagnostics(self.embedding)

    def __str__(self):
        times = ", ".join(
            f"{name} {value:.3g} s" for name, value in self.seconds.items()
        )
        lines = [
            f"{len(self.rows)} of {self.n_pool} rows by {self.strategy}",
            f"  time: {times}; memory: {self.nbytes / 1e6:.3g} MB",
        ]
        for name, values in ((self.value_name, self.values), ("norm", self.norms)):
            if values is not None and len(values):
                lines.append(f"  {name}: {values.min():.3g} to {values.max():.3g}")
        # Not computed for the sake of a line.
        if vars(self).get("diagnostics") is not None:
            lines.append(f"  {self.diagnostics}")
        lines += [f"  fallback: {fallback}" for fallback in self.fallbacks]
        return "\n".join(lines)
