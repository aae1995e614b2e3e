"""Learning curves of strategies, with the standard error over repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from skbadge.inspection._frame import (
    DEFAULTS,
    SETTING,
    Results,
    check_choice,
    check_strategy,
    read_results,
    select_metric,
)
from skbadge.inspection._learning_curves import learning_curves
from skbadge.inspection._plot._curve_data import choose, mean_seconds, relative_scores
from skbadge.inspection._plot._style import (
    BAND_ALPHA,
    GREY,
    Drawing,
    as_list,
    legend_label,
    line_kwargs,
    literal,
    metric_label,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

X_LABELS = {"n_labeled": "Labelled rows", "seconds": "Seconds of training and queries"}
# With more points than these, markers are drawn at some only.
_N_MARKERS = 20


@dataclass(eq=False, repr=False)
class ActiveLearningCurveDisplay(Drawing):
    """Mean score by number of labels, and its standard error over repeats.

    One axes for each setting (data set, model, rows asked for). Make one with
    `from_frame`.

    Parameters
    ----------
    curves : DataFrame
        From `skbadge.inspection.learning_curves`, of one metric; with a column
        `seconds` besides, if ``x`` is.

    x : {"n_labeled", "seconds"}, default="n_labeled"
        The column of the horizontal axis.

    relative_to : str or None, default=None
        The strategy whose score was subtracted, if one was.

    confidence : float or None, default=None
        Level of the intervals from `low` to `high`; None if they are standard errors.

    strategies : str, list of str, or None, default=None
        Order of the strategies; None for alphabetical order.

    unpaired : list of (str, str, int, str), default=()
        Settings and strategies without a run to subtract the baseline's from.

    Attributes
    ----------
    settings_ : list of (str, str, int)
        Data set, model and rows asked for, of each axes.

    axes_ : list of matplotlib Axes
        One for each setting.

    ax_ : matplotlib Axes
        The first of them.

    figure_ : matplotlib Figure
        Their figure.

    lines_ : list of dict of str to matplotlib Line2D
        For each axes, the curve of each strategy.

    bands_ : list of dict of str to matplotlib PolyCollection
        For each axes, the bands around them; none for strategies with one repeat.

    legend_ : matplotlib Legend or None
        The legend of all axes.

    See Also
    --------
    skbadge.inspection.learning_curves : Computes the curves.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import ActiveLearningCurveDisplay
    >>> frame = pd.DataFrame({
    ...     "strategy": "badge", "n_query": 10, "repeat": [0, 1, 0, 1],
    ...     "n_labeled": [20, 20, 30, 30], "score": [0.5, 0.7, 0.8, 0.9],
    ... })
    >>> display = ActiveLearningCurveDisplay.from_frame(frame)
    >>> display.lines_[0]["badge"].get_ydata().round(2).tolist()
    [0.6, 0.85]
    """

    curves: "pd.DataFrame"
    _: KW_ONLY
    x: Literal["n_labeled", "seconds"] = "n_labeled"
    relative_to: str | None = None
    confidence: float | None = None
    strategies: str | Sequence[str] | None = None
    unpaired: Sequence = ()

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        *,
        metric: str | None = None,
        dataset: str | Sequence[str] | None = None,
        model: str | Sequence[str] | None = None,
        n_query: int | Sequence[int] | None = None,
        strategies: str | Sequence[str] | None = None,
        x: Literal["n_labeled", "seconds"] = "n_labeled",
        relative_to: str | None = None,
        confidence: float | None = None,
        ax: "Axes | None" = None,
        band: bool = True,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Compute the curves of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, one row per evaluation and metric, as
            `skbadge.inspection.learning_curves` takes them.

        metric : str or None, default=None
            Which metric; None where there is only one.

        dataset, model, n_query : value, list of values, or None, default=None
            The settings to draw; None for all.

        strategies : str, list of str, or None, default=None
            The strategies to draw, in that order; None for all.

        x : {"n_labeled", "seconds"}, default="n_labeled"
            What to draw scores over: labels, or the time that training and queries
            have taken in all up to there, a mean over repeats.

        relative_to : str or None, default=None
            A strategy. Draw how much better than it the others are, run by run: its
            score in the same setting and repeat, at the same number of labels, is
            subtracted. Evaluations without a counterpart are left out.

        confidence : float or None, default=None
            Level, between 0 and 1, of Student's intervals to draw in place of standard
            errors.

        ax, band, curve_kwargs, legend
            See `plot`.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            Drawn.

        Raises
        ------
        ValueError
            If the frame is not as described, what was chosen is not in it, or times
            are missing that ``x="seconds"`` needs.
        """
        check_choice("x", x, X_LABELS)
        results, metric = select_metric(read_results(frame), metric)
        chosen = {"dataset": dataset, "model": model, "n_query": n_query}
        for column, wanted in chosen.items():
            results = choose(results, column, wanted)
        drawn = choose(results, "strategy", strategies, name="strategies")
        names = drawn["strategy"].unique()
        seconds = mean_seconds(results) if x == "seconds" else None
        unpaired = []
        if relative_to is not None:
            check_strategy("relative_to", relative_to, results)
            drawn, unpaired = relative_scores(results, relative_to)
            drawn = drawn[drawn["strategy"].isin(names)]
            unpaired = [entry for entry in unpaired if entry[-1] in names]
            if drawn.empty:
                raise ValueError(
                    f"No run of {list(names)} has a run of `relative_to`="
                    f"{relative_to!r} in the same setting, of the same repeat."
                )
        curves = learning_curves(drawn, metric=metric, confidence=confidence)
        if seconds is not None:
            curves = curves.join(seconds, on=seconds.index.names)
        display = cls(
            curves,
            x=x,
            relative_to=relative_to,
            confidence=confidence,
            strategies=strategies,
            unpaired=unpaired,
        )
        return display.plot(ax, band=band, curve_kwargs=curve_kwargs, legend=legend)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        band: bool = True,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure, with an axes for each setting.

        band : bool, default=True
            Whether to draw the bands.

        curve_kwargs : dict, dict of str to dict, or None, default=None
            Keywords of `matplotlib.lines.Line2D` for all curves, or by strategy.

        legend : str or None, default="outside"
            "outside", to the right of the axes; None for none; or a matplotlib ``loc``
            within the first axes.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            Itself.

        Raises
        ------
        ValueError
            If an axes is given, and there are several settings.
        ImportError
            If matplotlib is missing.
        """
        check_choice("x", self.x, X_LABELS)
        self.settings_ = self._settings()
        if ax is not None and len(self.settings_) > 1:
            raise ValueError(
                f"`ax` is one axes, and there are {len(self.settings_)} settings. "
                "Choose one by `dataset`, `model` and `n_query`, or leave `ax` out. "
                f"There are: {self.settings_}."
            )
        n_datasets = len({setting[0] for setting in self.settings_})
        n_columns = n_datasets if 2 <= n_datasets <= 4 else 3
        self.axes_ = self._begin(ax, len(self.settings_), n_columns=n_columns)
        self.ax_ = self.axes_[0]
        defaults = {"markersize": 5, "linewidth": 1.5}
        kwargs = line_kwargs(self._strategies(), curve_kwargs, defaults)
        self.lines_: list[dict] = []
        self.bands_: list[dict] = []
        curves = dict(iter(self.curves.groupby(SETTING)))
        for axes, setting in zip(self.axes_, self.settings_, strict=True):
            self._draw(axes, curves.get(setting, self.curves[:0]), kwargs, band)
        self._title()
        return self._end(legend)

    def _settings(self):
        found = set(map(tuple, self.curves[SETTING].to_numpy(dtype=object)))
        found |= {tuple(entry[:-1]) for entry in self.unpaired}
        # A row of the grid has one model and number of rows asked for.
        return sorted(found, key=lambda setting: (setting[1], setting[2], setting[0]))

    def _strategies(self):
        known = sorted(self.curves["strategy"].unique())
        return known if self.strategies is None else as_list(self.strategies)

    def _draw(self, ax, rows, kwargs, band):
        if self.relative_to is not None:
            ax.axhline(0, color=GREY, linewidth=1, zorder=0)
        lines, bands = {}, {}
        for name, style in kwargs.items():
            curve = rows[rows["strategy"] == name].sort_values("n_labeled")
            if curve.empty:
                continue
            x = curve[self.x].to_numpy(dtype=np.float64)
            every = -(-len(x) // _N_MARKERS)
            (lines[name],) = ax.plot(
                x,
                curve["mean"],
                **({"label": legend_label(name), "markevery": every} | style),
            )
            if band:
                color = lines[name].get_color()
                drawn = _draw_band(ax, x, curve["low"], curve["high"], color)
                bands |= {} if drawn is None else {name: drawn}
        self.lines_.append(lines)
        self.bands_.append(bands)
        metric = metric_label(self.curves["metric"].iloc[0])
        if self.relative_to is not None:
            metric = f"{metric} minus that of {literal(self.relative_to)}"
        ax.set(xlabel=X_LABELS[self.x], ylabel=metric)
        if len(set(rows[self.x])) == 1:
            ax.set_xticks(rows[self.x].iloc[:1])
        ax.grid(alpha=0.3)

    def _title(self):
        """Say of each axes how it differs from the others, and of all what they are."""
        parts = [_setting_parts(setting) for setting in self.settings_]
        n_values = [len(set(part)) for part in zip(*parts, strict=True)]
        n_repeats = self.curves["n_repeats"].to_numpy()
        named = zip(parts[0], n_values, strict=True)
        common = ", ".join(word for word, n in named if word and n == 1)
        what = _describe(n_repeats.min(), n_repeats.max(), self.confidence)
        common = f"{common}: {what}" if common else what[:1].upper() + what[1:]
        for ax, setting, part in zip(self.axes_, self.settings_, parts, strict=True):
            named = zip(part, n_values, strict=True)
            lines = [", ".join(word for word, n in named if word and n > 1)]
            alone = [name for *place, name in self.unpaired if tuple(place) == setting]
            if alone:
                lines.append(f"no pairs with {self.relative_to}: {', '.join(alone)}")
            if len(self.axes_) == 1:
                lines[0] = common
            ax.set_title(literal("\n".join(lines)), fontsize="medium")
        if len(self.axes_) > 1:
            self.figure_.suptitle(literal(common))


def _draw_band(ax, x, low, high, color):
    low, high = (np.asarray(part, dtype=np.float64) for part in (low, high))
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.any():
        return None
    # A band of one point has no area.
    left, right = np.append(False, finite[:-1]), np.append(finite[1:], False)
    alone = finite & ~left & ~right
    if alone.any():
        ax.vlines(x[alone], low[alone], high[alone], color=color, linewidth=1.5)
    return ax.fill_between(
        x, low, high, where=finite, color=color, alpha=BAND_ALPHA, linewidth=0
    )


def _setting_parts(setting):
    """Data set, model and rows asked for in words; empty where nobody named them."""
    dataset, model, n_query = setting
    named = [
        "" if value == DEFAULTS[column] else str(value)
        for column, value in (("dataset", dataset), ("model", model))
    ]
    return (*named, f"{n_query} row{'' if n_query == 1 else 's'} a query")


def _describe(fewest, most, confidence):
    repeats = f"{most} repeat{'' if most == 1 else 's'}"
    if fewest < most:
        repeats = f"{fewest} to {repeats}"
    if most == 1:
        return repeats
    band = "standard error" if confidence is None else f"{confidence:.0%} interval"
    return f"mean and {band}, {repeats}"
