"""Gains of strategies against the tails of the first errors."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from skbadge.inspection._error_tails import ErrorTails, error_tails
from skbadge.inspection._frame import Results
from skbadge.inspection._plot._style import (
    GREY,
    Drawing,
    chosen,
    legend_label,
    literal,
    strategy_styles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(eq=False, repr=False)
class ErrorTailsDisplay(Drawing):
    """Gains of strategies over a baseline, against the tails of the first errors.

    A mark for each data set and strategy, with a bar of one standard error to either
    side, and the least-squares line of each strategy. Above 0 is better than the
    baseline. Make one with `from_frame`.

    Parameters
    ----------
    tails : ErrorTails
        From `skbadge.inspection.error_tails`.

    strategies : str, list of str, or None, default=None
        Which strategies to draw, in that order; None for all.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the marks.

    figure_ : matplotlib Figure
        Their figure.

    bars_ : dict of str to matplotlib ErrorbarContainer
        The marks of each strategy.

    lines_ : dict of str to list of matplotlib Line2D
        The lines of each strategy, one for each model and batch size; none for fewer
        than three data sets.

    legend_ : matplotlib Legend or None
        The legend.

    See Also
    --------
    skbadge.inspection.error_tails : Computes them.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import ErrorTailsDisplay
    >>> frame = pd.DataFrame([
    ...     {"strategy": strategy, "n_query": 10, "repeat": 0, "n_labeled": n_labeled,
    ...      "metric": metric, "score": -error}
    ...     for strategy, gain in (("lcmd", 0.5), ("random", 1.0))
    ...     for n_labeled, metric, error in (
    ...         (10, "neg_root_mean_squared_error", 2.0),
    ...         (10, "neg_mean_absolute_error", 1.0),
    ...         (20, "neg_root_mean_squared_error", gain),
    ...     )
    ... ])
    >>> display = ErrorTailsDisplay.from_frame(frame)
    >>> display.ax_.get_xlabel()
    'ln(RMSE / MAE) of random at the start'
    """

    tails: ErrorTails
    _: KW_ONLY
    strategies: str | Sequence[str] | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        *,
        baseline: str = "random",
        rmse: str = "neg_root_mean_squared_error",
        mae: str = "neg_mean_absolute_error",
        strategies: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        legend: str | None = "outside",
    ) -> Self:
        """Compute tails and gains of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, one row per evaluation and metric.

        baseline, rmse, mae
            See `skbadge.inspection.error_tails`.

        strategies : str, list of str, or None, default=None
            Which strategies to draw, in that order; None for all.

        ax, legend
            See `plot`.

        Returns
        -------
        display : ErrorTailsDisplay
            Drawn.
        """
        tails = error_tails(frame, baseline=baseline, rmse=rmse, mae=mae)
        return cls(tails, strategies=strategies).plot(ax, legend=legend)

    def plot(self, ax: "Axes | None" = None, *, legend: str | None = "outside") -> Self:
        """Draw marks and lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        legend : str or None, default="outside"
            "outside", to the right of the axes; None for none; or a matplotlib ``loc``.

        Returns
        -------
        display : ErrorTailsDisplay
            Itself.

        Raises
        ------
        ValueError
            If there is nothing to draw, or a strategy is not there.
        ImportError
            If matplotlib is missing.
        """
        points, fits = self.tails.points, self.tails.fits
        known = points["strategy"].unique()
        names = chosen("strategies", self.strategies, known)
        if not names:
            raise ValueError(
                "There is no gain to draw: no strategy has a repeat that "
                f"{self.tails.baseline!r} has as well."
            )
        (ax,) = self._begin(ax)
        ax.axhline(0, color=GREY, linewidth=1, zorder=0)
        self.bars_, self.lines_ = {}, {}
        for name, style in strategy_styles(names).items():
            mine = points[points["strategy"] == name]
            self.bars_[name] = ax.errorbar(
                mine["tail"],
                mine["gain"],
                yerr=mine["gain_sem"],
                fmt=style["marker"],
                color=style["color"],
                markersize=5,
                elinewidth=1,
                label=legend_label(name),
            )
            self.lines_[name] = [
                _draw_line(ax, mine, fit, style)
                for fit in fits[fits["strategy"] == name].to_dict("records")
                if np.isfinite(fit["slope"])
            ]
        baseline = literal(self.tails.baseline)
        ax.set(
            xlabel=f"ln(RMSE / MAE) of {baseline} at the start",
            ylabel=f"Gain over {baseline} in mean ln(RMSE)",
        )
        ax.grid(alpha=0.3)
        self.ax_ = ax
        return self._end(legend)


def _draw_line(ax, points, fit, style):
    is_its = (points["model"] == fit["model"]) & (points["n_query"] == fit["n_query"])
    ends = np.array([points["tail"][is_its].min(), points["tail"][is_its].max()])
    (line,) = ax.plot(
        ends,
        fit["intercept"] + fit["slope"] * ends,
        color=style["color"],
        linestyle=style["linestyle"],
        linewidth=1.2,
    )
    return line
