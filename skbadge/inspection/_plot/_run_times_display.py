"""How long rounds take, by setting and strategy."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skbadge.inspection._frame import SETTING, Results
from skbadge.inspection._plot._style import (
    Drawing,
    check_axes,
    chosen,
    legend_label,
    line_kwargs,
    literal,
)
from skbadge.inspection._run_times import run_times

if TYPE_CHECKING:
    import pandas as pd

LABELS = {
    "query_time": "Seconds of a query",
    "fit_time": "Seconds of a training",
    "score_time": "Seconds of scoring",
}
# Inches of a setting's line, and of what is above and below; and the part of a line
# over which the strategies are spread, so that equal times do not hide each other.
_LINE, _REST, _SPREAD = 0.5, 1.2, 0.6
# Letters of a name beside the axes, which would be left no room by longer ones.
_LONGEST = 32


@dataclass(eq=False, repr=False)
class RunTimesDisplay(Drawing):
    """Median seconds of a round on a log axis, a line for each setting.

    As the comparison of run times in Figure 1 of Ash et al. [1]_, for any number of
    strategies and settings. Make one with `from_frame`.

    Parameters
    ----------
    times : DataFrame
        From `skbadge.inspection.run_times`.

    strategies : str, list of str, or None, default=None
        Which strategies to draw, in that order; None for all.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each measure.

    figure_ : matplotlib Figure
        Their figure.

    settings_ : list of (str, str, int)
        Data set, model and rows asked for of each line, from the top.

    lines_ : list of dict of str to matplotlib Line2D
        For each axes, the points of each strategy. Times of 0 or infinity have no place
        on a log axis, and are NaN there.

    legend_ : matplotlib Legend or None
        The legend of all axes.

    See Also
    --------
    skbadge.inspection.run_times : Computes the times.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import RunTimesDisplay
    >>> frame = pd.DataFrame({
    ...     "strategy": "badge", "n_query": 10, "repeat": 0, "n_labeled": [20, 30, 40],
    ...     "score": [0.5, 0.7, 0.8], "fit_time": [1.0, 2.0, 3.0],
    ...     "query_time": [0.0, 0.5, 0.7],
    ... })
    >>> display = RunTimesDisplay.from_frame(frame)
    >>> display.lines_[0]["badge"].get_xdata().tolist()
    [0.6]
    """

    times: "pd.DataFrame"
    _: KW_ONLY
    strategies: str | Sequence[str] | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        *,
        strategies: str | Sequence[str] | None = None,
        measures: str | Sequence[str] = ("query_time", "fit_time"),
        ax: Any = None,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Compute the times of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, as `skbadge.inspection.run_times` takes them.

        strategies : str, list of str, or None, default=None
            Which strategies to draw, in that order; None for all.

        measures, ax, curve_kwargs, legend
            See `plot`.

        Returns
        -------
        display : RunTimesDisplay
            Drawn.
        """
        display = cls(run_times(frame), strategies=strategies)
        return display.plot(
            ax, measures=measures, curve_kwargs=curve_kwargs, legend=legend
        )

    def plot(
        self,
        ax: Any = None,
        *,
        measures: str | Sequence[str] = ("query_time", "fit_time"),
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw one axes for each measure.

        Parameters
        ----------
        ax : matplotlib Axes, list of matplotlib Axes, or None, default=None
            One for each measure; None makes a figure.

        measures : str or list of {"query_time", "fit_time", "score_time"}
            What to draw, by default queries and trainings.

        curve_kwargs : dict, dict of str to dict, or None, default=None
            Keywords of `matplotlib.lines.Line2D` for all strategies, or by strategy.

        legend : str or None, default="outside"
            "outside", None for no legend, or a matplotlib ``loc`` in the first axes.

        Returns
        -------
        display : RunTimesDisplay
            Itself.

        Raises
        ------
        ValueError
            If a strategy or a measure is not there, no time is finite and above 0, or
            the axes given are not one for each.
        ImportError
            If matplotlib is missing.
        """
        known = [name for name in LABELS if name in self.times]
        measures = chosen("measures", measures, known)
        check_axes(ax, measures)
        there = sorted(self.times["strategy"].unique())
        names = chosen("strategies", self.strategies, there)
        times = self.times[self.times["strategy"].isin(names)]
        if not _drawable(times[measures]).any(axis=None):
            raise ValueError(f"There is no finite time above 0 to draw in {measures}.")
        # As in other pictures, settings of one model and batch size are together.
        order = times.sort_values(["model", "n_query", "dataset"])
        self.settings_ = list(dict.fromkeys(_settings(order)))
        size = 4.2, _REST + _LINE * len(self.settings_)
        self.axes_ = self._begin(ax, len(measures), size=size, small=size)
        kwargs = line_kwargs(names, curve_kwargs, {"markersize": 6})
        self.lines_ = [
            self._draw(ax, times, measure, kwargs)
            for ax, measure in zip(self.axes_, measures, strict=True)
        ]
        return self._end(legend)

    def _draw(self, ax, times, measure, kwargs):
        shifts = _SPREAD * (np.arange(len(kwargs)) + 0.5) / len(kwargs) - _SPREAD / 2
        lines = {}
        for (name, style), shift in zip(kwargs.items(), shifts, strict=True):
            rows = times[times["strategy"] == name]
            x = rows[measure].to_numpy(dtype=np.float64)
            y = np.array([self.settings_.index(each) for each in _settings(rows)])
            (lines[name],) = ax.plot(
                np.where(_drawable(x), x, np.nan),
                y + shift,
                **({"label": legend_label(name)} | style | {"linestyle": "none"}),
            )
        shown = [", ".join(map(_short, each)) for each in self.settings_]
        first = ax is self.axes_[0]
        n = len(shown)
        ax.set_yticks(range(n), list(map(literal, shown)) if first else [""] * n)
        ax.set(xlabel=LABELS[measure], ylim=(n - 0.5, -0.5))
        # Where no time is above 0, a log axis cannot be drawn.
        if _drawable(times[measure]).any():
            ax.set_xscale("log")
            _label_ticks(ax)
        ax.tick_params(axis="y", length=0)
        # Between the settings.
        for place in range(1, n):
            ax.axhline(place - 0.5, color="0.85", linewidth=0.8, zorder=0)
        ax.grid(axis="x", alpha=0.3)
        return lines


def _drawable(times):
    """Which times have a place on a log axis."""
    return (times > 0) & (times < np.inf)


def _short(name):
    text = str(name)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"


def _settings(times):
    return list(times[SETTING].itertuples(index=False, name=None))


def _label_ticks(ax):
    """Label powers of ten and, the fewer there are, the more of what is between."""
    from matplotlib.ticker import (
        LogLocator,
        MaxNLocator,
        NullFormatter,
        StrMethodFormatter,
    )

    low, high = ax.get_xlim()
    if high < 5 * low:
        # So short a part of the axis is nearly linear.
        locator = MaxNLocator(nbins=3)
    elif high < 10 * low:
        locator = LogLocator(subs=(1, 2, 5))
    elif high < 100 * low:
        locator = LogLocator(subs=(1, 3))
    else:
        locator = LogLocator(subs=(1,))
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
