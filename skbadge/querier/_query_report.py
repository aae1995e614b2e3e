"""What a query did."""

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from numpy.typing import NDArray

from skbadge.embeddings._diagnostics import batch_diagnostics
from skbadge.querier._batch_predictions import BatchPredictions
from skbadge.samplers import Selection
from skbadge.utils._html_tables import facts_table, table

# Rows that a notebook shows; their order says most about the first.
_N_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class QueryReport(Selection):
    """What a query did, and what it cost.

    Attributes
    ----------
    strategy : str
        The strategy, with the parameters that differ from its defaults.

    n_pool : int
        Rows of the pool.

    n_candidates : int
        How many of them could be selected at most: fewer with candidates, groups or
        pending rows.

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

    standard_errors : ndarray of shape (n,) or None
        Where the values are means over a sample of rows, their standard errors.

    notes : tuple of str
        What else is worth knowing, such as the sizes of samples.

    seconds : dict of str to float
        Wall-clock time of reading the model's outputs ("outputs") and of the selection
        ("select").

    nbytes : int
        Bytes held by the model's outputs and the embeddings, in memory or files. Arrays
        that both have count once.

    n_passes : int
        How often the pool was read; 1 unless it came in chunks.

    engine : str
        Who read a pool in chunks, else "".

    n_subsample : int or None
        Among how many rows was selected, with ``subsample``.

    ids : ndarray of shape (n,) or None
        What a pool in chunks calls the rows: the entries of its id column, or else
        their positions.

    nbytes_spilled : int
        Bytes that went into files instead of memory, see ``storage``, those that were
        held on the way included.

    n_distances : int
        Distances evaluated.

    probabilities : ndarray of shape (n,) or None
        Probability that each row was drawn by at its turn, given those drawn before it.
        None where it is not known: of rules that draw nothing at random, and with
        groups or copies that wait.

    uniform_share : float
        At each draw, every row that was left had at least this share of the uniform
        probability. 0 where nothing is known.

    predictions : BatchPredictions or None
        What the model predicts for the rows, as ``labels``, ``proba`` and ``classes``;
        `skbadge.monitoring.assess` compares them with the answers. None without
        probabilities, for a pool in chunks, and before there is a model.

    model : str
        Which of the querier's models was asked; another name after each training. ""
        before there is a model that can be asked.

    n_labeled : int
        Labelled rows when it was asked.

    Notes
    -----
    Printed, it is a summary; in a notebook, it is a table of the first ten picks.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> querier = querier.fit(X[::2], y[::2])
    >>> rows, report = querier.query(X[1::2], 5, return_report=True)
    >>> report
    <QueryReport: 5 of 75 rows by Badge()>
    >>> print(report)
    5 of 75 rows by Badge()
      time: outputs ... s, select ... s; memory: ... MB
      squared distance: ... to ...
      norm: ... to ...
    """

    strategy: str
    n_pool: int
    n_candidates: int
    seconds: dict = field(default_factory=dict)
    nbytes_spilled: int = 0
    n_passes: int = 1
    engine: str = ""
    n_subsample: int | None = None
    # Any stands for None, of a pool that is no pool in chunks.
    ids: NDArray | Any = None
    predictions: BatchPredictions | None = None
    model: str = ""
    n_labeled: int = 0

    @cached_property
    def diagnostics(self):
        """How diverse and how uncertain the batch is."""
        return None if self.embedding is None else batch_diagnostics(self.embedding)

    def __repr__(self):
        return f"<{type(self).__name__}: {self._title()}>"

    def __str__(self):
        costs = "; ".join(f"{name}: {value}" for name, value in self._costs())
        lines = [self._title(), f"  {costs}"]
        lines += [f"  {name}: {value}" for name, value in self._ranges()]
        # They are shown if they are there, but not computed for it.
        if vars(self).get("diagnostics") is not None:
            lines.append(f"  {self.diagnostics}")
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  fallback: {fallback}" for fallback in self.fallbacks]
        return "\n".join(lines)

    def _repr_html_(self):
        facts = [*self._costs(), *self._ranges()]
        if vars(self).get("diagnostics") is not None:
            facts.append(("diversity", str(self.diagnostics)))
        facts += [("note", note) for note in self.notes]
        facts += [("fallback", fallback) for fallback in self.fallbacks]
        title = f"<p><b>{escape(self._title())}</b></p>"
        return f"{title}{facts_table(facts)}{self._picks_html()}"

    def _picks_html(self):
        """The first rows that were selected, and what for."""
        if len(self.rows) == 0:
            return ""
        columns = [("row", [str(row) for row in self.rows[:_N_SHOWN]])]
        for name, values in self._measured():
            columns.append((name, [f"{value:.3g}" for value in values[:_N_SHOWN]]))
        names, cells = zip(*columns, strict=True)
        lines = enumerate(zip(*cells, strict=True), start=1)
        n_more = len(self.rows) - _N_SHOWN
        more = f"<p>and {n_more} more</p>" if n_more > 0 else ""
        return table(("pick", *names), ((i, *line) for i, line in lines)) + more

    def _title(self):
        pool = f"{self.n_pool} rows"
        if self.n_candidates < self.n_pool:
            pool = f"{self.n_candidates} candidates among {pool}"
        return f"{len(self.rows)} of {pool} by {self.strategy}"

    def _costs(self):
        times = [f"{name} {value:.3g} s" for name, value in self.seconds.items()]
        yield "time", ", ".join(times)
        # What was held on the way went into files too: it is no part of the former.
        where = "memory or files" if self.nbytes_spilled else "memory"
        yield where, f"{self.nbytes / 1e6:.3g} MB"
        if self.nbytes_spilled:
            yield "files", f"{self.nbytes_spilled / 1e6:.3g} MB"
        if self.engine:
            n_read = self.n_passes * self.n_pool
            passes = f"{self.n_passes} pass{'es' * (self.n_passes != 1)}"
            yield "read", f"{n_read} rows in {passes} by {self.engine}"
        if self.n_subsample is not None:
            yield "subsample", f"{self.n_subsample} rows"

    def _measured(self):
        """Yield what is known of each selected row, by its name."""
        for name, values in (
            (self.value_name, self.values),
            ("standard error", self.standard_errors),
            ("norm", self.norms),
        ):
            if values is not None and len(values):
                yield name, values

    def _ranges(self):
        for name, values in self._measured():
            yield name, f"{values.min():.3g} to {values.max():.3g}"
