"""Errors of strategies, as ratios to those of a baseline."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from skbadge.inspection._frame import Results
from skbadge.inspection._mean_log_errors import TINY, MeanLogErrors, mean_log_errors
from skbadge.inspection._plot._style import (
    BLACK,
    COLORS,
    GREY,
    MARKERS,
    Drawing,
    chosen,
    legend_label,
    literal,
    metric_label,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class ErrorRatioDisplay(Drawing):
    """Errors divided by a baseline's: geometric means, and the data sets behind them.

    A line for each strategy, the best on top. The black dot is the geometric mean over
    data sets, repeats and steps, its bar one standard error to either side with these
    data sets given; coloured marks are the data sets. Left of 1 is better than the
    baseline. Make one with `from_frame`.

    Parameters
    ----------
    errors : MeanLogErrors
        From `skbadge.inspection.mean_log_errors`.

    metric : str or None, default=None
        Which metric to draw; None if there is one.

    strategies : str, list of str, or None, default=None
        Which strategies to draw; None for all but the baseline.

    Attributes
    ----------
    rows_ : DataFrame
        What is drawn, from the bottom to the top: `model`, `n_query`, `strategy`,
        `ratio`, `difference_sem_fixed` and the `label`.

    ax_ : matplotlib Axes
        Axes with the dots.

    figure_ : matplotlib Figure
        Their figure.

    bars_ : matplotlib ErrorbarContainer
        The geometric means.

    lines_ : dict of str to matplotlib Line2D
        The marks of each data set; none if there is a single one.

    legend_ : matplotlib Legend or None
        The legend, of data sets.

    See Also
    --------
    skbadge.inspection.mean_log_errors : Computes the means.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import ErrorRatioDisplay
    >>> errors = {"lcmd": [4.0, 2.0, 1.0], "random": [4.0, 2.0, 2.0]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 10, "repeat": 0, "n_labeled": 10 * (i + 1),
    ...      "metric": "neg_mean_absolute_error", "score": -error}
    ...     for name, curve in errors.items()
    ...     for i, error in enumerate(curve)
    ... ])
    >>> display = ErrorRatioDisplay.from_frame(frame)
    >>> display.rows_[["label", "ratio"]].round(3)
      label  ratio
    0  lcmd  0.707
    """

    errors: MeanLogErrors
    _: KW_ONLY
    metric: str | None = None
    strategies: str | Sequence[str] | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        *,
        metric: str | None = None,
        baseline: str = "random",
        at: Literal["mean", "final"] = "mean",
        floor: float = TINY,
        ddof: Literal[0, 1] = 1,
        strategies: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        legend: str | None = "outside",
    ) -> Self:
        """Compute the means of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, one row per evaluation and metric.

        metric, baseline, at, floor, ddof
            See `skbadge.inspection.mean_log_errors`.

        strategies : str, list of str, or None, default=None
            Which strategies to draw; None for all but the baseline.

        ax, legend
            See `plot`.

        Returns
        -------
        display : ErrorRatioDisplay
            Drawn.
        """
        errors = mean_log_errors(
            frame, metric=metric, baseline=baseline, at=at, floor=floor, ddof=ddof
        )
        display = cls(errors, metric=metric, strategies=strategies)
        return display.plot(ax, legend=legend)

    def plot(self, ax: "Axes | None" = None, *, legend: str | None = "outside") -> Self:
        """Draw the ratios.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        legend : str or None, default="outside"
            "outside", to the right of the axes; None for none; or a matplotlib ``loc``.

        Returns
        -------
        display : ErrorRatioDisplay
            Itself.

        Raises
        ------
        ValueError
            If there is nothing to draw, several metrics, or a strategy is not there.
        ImportError
            If matplotlib is missing.
        """
        metric = self._only_metric()
        self.rows_ = self._choose(metric)
        (ax,) = self._begin(ax, size=(6.4, 1.2 + 0.36 * len(self.rows_)))
        ax.axvline(1, color=GREY, linewidth=1, zorder=0)
        self.lines_ = self._draw_datasets(ax, metric)
        ratio = self.rows_["ratio"].to_numpy()
        sem = self.rows_["difference_sem_fixed"].to_numpy()
        lengths = [ratio - ratio * np.exp(-sem), ratio * np.exp(sem) - ratio]
        self.bars_ = ax.errorbar(
            ratio,
            np.arange(len(ratio)),
            # matplotlib 3.8 takes an array of one length for a number.
            xerr=[each.tolist() for each in lengths],
            fmt="o",
            color=BLACK,
            capsize=3,
            label="mean" if self.lines_ else None,
        )
        ax.set(
            ylim=(-0.6, len(ratio) - 0.4),
            yticks=np.arange(len(ratio)),
            yticklabels=self.rows_["label"].map(literal).tolist(),
            xlabel=f"Error divided by that of {literal(self.errors.baseline)}",
            title=metric_label(metric.removeprefix("neg_")),
        )
        ax.grid(alpha=0.3)
        self.ax_ = ax
        return self._end(legend)

    def _only_metric(self):
        known = sorted(self.errors.table["metric"].unique())
        names = chosen("metric", self.metric, known)
        if len(names) != 1:
            raise ValueError(
                f"`metric` must be one of {known}, for a picture shows one. Got "
                f"{self.metric!r} instead."
            )
        return names[0]

    def _choose(self, metric):
        """The lines of the picture, from the bottom to the top."""
        table = self.errors.table
        table = table[table["metric"] == metric]
        known = sorted(table["strategy"].unique())
        names = chosen("strategies", self.strategies, known)
        if self.strategies is None:
            names = [name for name in names if name != self.errors.baseline]
        table = table[table["strategy"].isin(names) & table["ratio"].notna()]
        if not len(table):
            raise ValueError(
                f"There is no strategy with a repeat that {self.errors.baseline!r} has "
                "as well, so there is no ratio to draw."
            )
        table = table.sort_values(["model", "n_query", "ratio"], ascending=False)
        columns = ["model", "n_query", "strategy", "ratio", "difference_sem_fixed"]
        rows = table[columns].reset_index(drop=True)
        return rows.assign(label=_labels(rows))

    def _draw_datasets(self, ax, metric):
        frame = self.errors.by_dataset
        frame = frame[frame["metric"] == metric]
        datasets = sorted(frame["dataset"].unique())
        if len(datasets) == 1:
            return {}
        key = ["model", "n_query", "strategy"]
        lines = self.rows_[key].assign(position=np.arange(len(self.rows_)))
        frame = frame.merge(lines, on=key)
        drawn = {}
        for i, dataset in enumerate(datasets):
            of_dataset = frame[frame["dataset"] == dataset]
            (drawn[dataset],) = ax.plot(
                of_dataset["ratio"],
                of_dataset["position"],
                linestyle="none",
                marker=MARKERS[1:][i % (len(MARKERS) - 1)],
                color=COLORS[i % (len(COLORS) - 1)],
                markersize=5,
                alpha=0.8,
                label=legend_label(dataset),
            )
        return drawn


def _labels(rows):
    """Names of strategies, with what else tells the lines apart."""
    labels = rows["strategy"].astype(str)
    for column in ("model", "n_query"):
        if rows[column].nunique() > 1:
            labels = labels + ", " + rows[column].astype(str)
    return labels
