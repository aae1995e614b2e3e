"""How diverse and how uncertain the batches of several strategies are."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np

from skbadge.embeddings._diagnostics import BatchDiagnostics, batch_diagnostics
from skbadge.inspection._plot._style import (
    Drawing,
    check_axes,
    chosen,
    legend_label,
    line_kwargs,
    literal,
)
from skbadge.querier import QueryReport

LABELS = {
    "log_det": "Log-determinant of the Gram matrix (nats)",
    "mean_norm": "Mean norm of the embeddings",
    "min_distance": "Least distance of two embeddings",
}
# Where the hollow markers stand, as a share of the axis.
_EDGE = 0.03
_NOTE = "Hollow, at the edge: minus infinity (linearly dependent rows)"


@dataclass(eq=False, repr=False)
class BatchDiagnosticsDisplay(Drawing):
    """Log-determinant, mean norm and least distance of the batches of strategies.

    As in Figure 2 of Ash et al. [1]_. Batches of several rounds are drawn as curves,
    those of one round as points. Make one with `from_reports`.

    Parameters
    ----------
    diagnostics : dict of str to list of BatchDiagnostics
        By strategy, one for each round; the same rounds for all strategies.

    n_labeled : array-like of shape (n_rounds,) or None, default=None
        Labelled rows at the time of each query. None counts the rounds, from 1.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each measure.

    figure_ : matplotlib Figure
        Their figure.

    lines_ : list of dict of str to matplotlib Line2D
        For each axes, the curve or point of each strategy. Values that are not finite
        are NaN there.

    edge_lines_ : list of dict of str to matplotlib Line2D
        For each axes, the hollow markers that stand for minus infinity, of the
        strategies that have any.

    legend_ : matplotlib Legend or None
        The legend. A single round has none: strategies are named on the axis.

    Raises
    ------
    ValueError
        If there is no strategy, the numbers of rounds differ, or batches of one round
        differ in size, which determinants would tell more of than of the strategies.

    See Also
    --------
    skbadge.inspection.batch_diagnostics : Computes the measures.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.inspection import BatchDiagnosticsDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> reports = {}
    >>> for name in ["badge", "badge_k_center"]:
    ...     querier = BadgeQuerier(LogisticRegression(), strategy=name, random_state=0)
    ...     querier = querier.fit(X[::10], y[::10])
    ...     _, reports[name] = querier.query(X, 5, return_report=True)
    >>> display = BatchDiagnosticsDisplay.from_reports(reports)
    >>> len(display.axes_)
    3
    """

    diagnostics: Mapping
    _: KW_ONLY
    n_labeled: Sequence[int] | None = None

    def __post_init__(self) -> None:
        _check_rounds(self.diagnostics, self.n_labeled)

    @classmethod
    def from_reports(
        cls,
        reports: Any,
        *,
        embedding: Any = None,
        n_labeled: Sequence[int] | None = None,
        measures: str | Sequence[str] = tuple(LABELS),
        ax: Any = None,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Measure the batches of query reports, and draw what was found.

        Parameters
        ----------
        reports : dict of str to QueryReport or BatchDiagnostics, or to lists of these
            By strategy; lists have one for each round.

        embedding : Embedding of shape (n_pool, n_columns), list of these, or None
            The pool's embedding, or one for each round, in which to measure the rows
            of all reports. None takes the embedding of each strategy, which must be of
            one kind and width then: determinants of different embeddings do not
            compare. Strategies without one, such as "margin" and "random", need it.

        n_labeled : array-like of shape (n_rounds,) or None, default=None
            Labelled rows at the time of each query. None counts the rounds, from 1.

        measures, ax, curve_kwargs, legend
            See `plot`.

        Returns
        -------
        display : BatchDiagnosticsDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the embeddings of the reports do not compare, or a report has none.
        TypeError
            If there is anything else in ``reports``.
        """
        rounds = {name: _as_list(given) for name, given in reports.items()}
        _check_rounds(rounds, n_labeled)
        if embedding is None:
            _check_comparable(rounds)
        n_rounds = max(map(len, rounds.values()))
        if not isinstance(embedding, list | tuple):
            embedding = [embedding] * n_rounds
        elif len(embedding) != n_rounds:
            raise ValueError(
                f"`embedding` must be one, or one for each of the {n_rounds} rounds. "
                f"Got {len(embedding)}."
            )
        diagnostics = {
            name: [_measure(*pair) for pair in zip(given, embedding, strict=True)]
            for name, given in rounds.items()
        }
        return cls(diagnostics, n_labeled=n_labeled).plot(
            ax, measures=measures, curve_kwargs=curve_kwargs, legend=legend
        )

    def plot(
        self,
        ax: Any = None,
        *,
        measures: str | Sequence[str] = tuple(LABELS),
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw one axes for each measure.

        Parameters
        ----------
        ax : matplotlib Axes, list of matplotlib Axes, or None, default=None
            One for each measure; None makes a figure.

        measures : tuple of {"log_det", "mean_norm", "min_distance"}
            What to draw, by default all three.

        curve_kwargs : dict, dict of str to dict, or None, default=None
            Keywords of `matplotlib.lines.Line2D` for all strategies, or by strategy.

        legend : str or None, default="outside"
            "outside", None for no legend, or a matplotlib ``loc`` in the first axes.

        Returns
        -------
        display : BatchDiagnosticsDisplay
            Itself.

        Raises
        ------
        ValueError
            If a measure is not known, or the axes given are not one for each.
        ImportError
            If matplotlib is missing.
        """
        measures = chosen("measures", measures, LABELS)
        check_axes(ax, measures)
        self.axes_ = self._begin(ax, len(measures), small=(3.9, 3.6))
        kwargs = line_kwargs(
            self.diagnostics, curve_kwargs, {"markersize": 5, "linewidth": 1.4}
        )
        self.lines_: list[dict] = []
        self.edge_lines_: list[dict] = []
        is_single = len(next(iter(self.diagnostics.values()))) == 1
        draw = self._draw_points if is_single else self._draw_curves
        for ax, measure in zip(self.axes_, measures, strict=True):
            self.lines_.append({})
            self.edge_lines_.append({})
            draw(ax, measure, kwargs)
            if self.edge_lines_[-1]:
                ax.set_title(_NOTE, fontsize=8, loc="left")
            ax.grid(alpha=0.3)
        return self._end(None if is_single else legend)

    def _values(self, measure):
        """By strategy, the measure in each round; -inf and NaN included."""
        return {
            name: np.array([getattr(batch, measure) for batch in batches], dtype=float)
            for name, batches in self.diagnostics.items()
        }

    def _draw_curves(self, ax, measure, kwargs):
        values = self._values(measure)
        n_rounds = len(next(iter(values.values())))
        counted = self.n_labeled is None
        x = np.arange(1, n_rounds + 1) if counted else np.asarray(self.n_labeled)
        for name, y in values.items():
            lowest = x[np.isneginf(y)]
            edge = lowest, np.full(len(lowest), _EDGE), ax.get_xaxis_transform()
            self._draw_line(ax, name, (x, _finite(y)), edge, kwargs[name])
        ax.set(xlabel="Round" if counted else "Labelled rows", ylabel=LABELS[measure])
        if counted:
            ax.xaxis.get_major_locator().set_params(integer=True)

    def _draw_points(self, ax, measure, kwargs):
        values = self._values(measure)
        for position, (name, x) in enumerate(values.items()):
            lowest = np.full(np.isneginf(x).sum(), position)
            edge = np.full(len(lowest), _EDGE), lowest, ax.get_yaxis_transform()
            style = kwargs[name] | {"linestyle": "none"}
            self._draw_line(ax, name, (_finite(x), [position]), edge, style)
        shown = [literal(name) for name in values] if ax is self.axes_[0] else []
        ax.set_yticks(range(len(values)), shown or [""] * len(values))
        # The first on top, as in a table.
        ax.set(xlabel=LABELS[measure], ylim=(len(values) - 0.5, -0.5))

    def _draw_line(self, ax, name, points, edge, style):
        """A strategy's values, and what stands at the edge for minus infinity."""
        (line,) = ax.plot(*points, label=legend_label(name), **style)
        self.lines_[-1][name] = line
        x, y, transform = edge
        if len(x):
            (marks,) = ax.plot(x, y, transform=transform, **_hollow(style))
            self.edge_lines_[-1][name] = marks


def _finite(values):
    return np.where(np.isfinite(values), values, np.nan)


def _hollow(kwargs):
    # A cross has no inside, and is as it is.
    return {**kwargs, "linestyle": "none", "markerfacecolor": "none", "label": None}


def _as_list(given):
    return list(given) if isinstance(given, list | tuple) else [given]


def _check_rounds(rounds, n_labeled):
    if not rounds:
        raise ValueError("There must be at least one strategy. Got none.")
    counts = {name: len(batches) for name, batches in rounds.items()}
    if len(set(counts.values())) != 1 or not max(counts.values()):
        raise ValueError(
            "All strategies must have the same rounds, at least one. "
            f"Got numbers of rounds: {counts}."
        )
    n_rounds = max(counts.values())
    if n_labeled is not None and np.shape(n_labeled) != (n_rounds,):
        raise ValueError(
            f"`n_labeled` must have an entry for each of the {n_rounds} rounds. "
            f"Got {n_labeled!r} instead."
        )
    for position in range(n_rounds):
        sizes = {name: _size(batches[position]) for name, batches in rounds.items()}
        if len(set(sizes.values())) != 1:
            raise ValueError(
                "Batches that are compared must be of the same size. Got, in round "
                f"{position + 1}: {sizes}."
            )


def _size(batch):
    if isinstance(batch, QueryReport):
        return len(batch.rows)
    if isinstance(batch, BatchDiagnostics):
        return batch.n
    raise TypeError(
        "A batch must be given as a QueryReport or as BatchDiagnostics. "
        f"Got {type(batch).__name__} instead."
    )


def _check_comparable(rounds):
    # Round by round: a class that is seen later adds columns to all embeddings.
    for batches in zip(*rounds.values(), strict=True):
        kinds = {}
        for name, report in zip(rounds, batches, strict=True):
            if isinstance(report, BatchDiagnostics):
                continue
            if report.embedding is None:
                raise ValueError(
                    f"The report of {name!r} has no embeddings to measure. Give "
                    "`embedding`, that of the pool."
                )
            kind = type(report.embedding).__name__, report.embedding.shape[1]
            kinds.setdefault(kind, name)
        if len(kinds) > 1:
            found = ", ".join(
                f"{name!r} has {width} columns of {kind}"
                for (kind, width), name in kinds.items()
            )
            raise ValueError(
                f"The embeddings of the reports do not compare: {found}. Give "
                "`embedding`, that of the pool, to measure all batches alike."
            )


def _measure(batch, embedding):
    if isinstance(batch, BatchDiagnostics):
        return batch
    if embedding is None:
        return batch.diagnostics
    return batch_diagnostics(embedding, batch.rows)
