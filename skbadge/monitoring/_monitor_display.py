"""The rounds of a `Monitor`, drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skbadge.inspection._plot._style import (
    BLACK,
    BLUE,
    COLORS,
    GREY,
    VERMILION,
    Drawing,
    check_axes,
    chosen,
    literal,
    metric_label,
)
from skbadge.monitoring._monitor import Monitor
from skbadge.monitoring.rounds._monitored_round import MonitoredRound, check_rounds
from skbadge.monitoring.rounds._rounds_table import error_name
from skbadge.utils._shown import shown

PANELS = ("error", "agreement", "disagreement", "classes", "duplicates")
# What judged the model, by its name in `MonitoredRound.source`.
_SOURCES = {"batch": ("By the batch", BLUE), "audit": ("By the audit", VERMILION)}
_LABELS = {
    "agreement": "Agreement with the model before",
    "disagreement": "Answers the model did not expect",
    "duplicates": "Duplicates in the batch",
}
# More classes than colours are too many to tell apart.
_N_CLASSES = 9
_MARKED = {"marker": "o", "markersize": 4, "linewidth": 1.4}


@dataclass(eq=False, repr=False)
class MonitorDisplay(Drawing):
    """The rounds of a `Monitor`: error, agreement, hard picks, classes, duplicates.

    Make one with `from_monitor`.

    Parameters
    ----------
    rounds : list of MonitoredRound
        At least one.

    Attributes
    ----------
    axes_ : dict of str to matplotlib Axes
        By panel.

    figure_ : matplotlib Figure
        Their figure.

    lines_ : dict of str to matplotlib Line2D
        By panel; of "error" by source, as "batch" and "audit". NaN where a round does
        not say it.

    bars_ : dict of label to matplotlib BarContainer
        Shares of the classes; None stands for all that have no colour of their own.

    legend_ : matplotlib Legend or None
        The legend.

    Raises
    ------
    ValueError
        If there is no round.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.monitoring import Monitor, MonitorDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    >>> querier = querier.fit(X[::10], y[::10])
    >>> rows, report = querier.query(X[1::2], 20, return_report=True)
    >>> monitor = Monitor(X[1::2], random_state=0)
    >>> one = monitor.add(querier, report, X[1::2][rows], y[1::2][rows])
    >>> list(MonitorDisplay.from_monitor(monitor, target=0.1).axes_)
    ['error', 'disagreement', 'classes', 'duplicates']
    """

    rounds: Sequence[MonitoredRound]

    def __post_init__(self) -> None:
        if isinstance(self.rounds, Monitor):
            raise TypeError(
                "`rounds` must be a list. Got a Monitor: take MonitorDisplay."
                "from_monitor(monitor)."
            )
        if not check_rounds(self.rounds):
            raise ValueError("There must be at least one round. Got none: call `add`.")

    @classmethod
    def from_monitor(
        cls,
        monitor: Monitor,
        *,
        target: float | None = None,
        panels: str | Sequence[str] | None = None,
        ax: Any = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw the rounds of a monitor.

        Parameters
        ----------
        monitor : Monitor
            With at least one round. Rounds that are added later are not drawn.

        target, panels, ax, legend
            See `plot`.

        Returns
        -------
        display : MonitorDisplay
            Drawn.
        """
        if not isinstance(monitor, Monitor):
            raise TypeError(
                f"`monitor` must be a Monitor. Got {shown(monitor)}. For a list "
                "of rounds: MonitorDisplay(rounds).plot()."
            )
        return cls(list(monitor.rounds)).plot(
            ax, target=target, panels=panels, legend=legend
        )

    def plot(
        self,
        ax: Any = None,
        *,
        target: float | None = None,
        panels: str | Sequence[str] | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw one axes for each panel.

        Parameters
        ----------
        ax : matplotlib Axes, list of matplotlib Axes, or None, default=None
            One for each panel; None makes a figure.

        target : float or None, default=None
            The error that is wanted, as a line.

        panels : str, list of str or None, default=None
            Among "error" (with its interval), "agreement", "disagreement", "classes"
            and "duplicates". None draws those that some round says something of.

        legend : str or None, default="outside"
            "outside", None for no legend, or a matplotlib ``loc`` in the first axes.

        Returns
        -------
        display : MonitorDisplay
            Itself.

        Raises
        ------
        ValueError
            If a panel is not known, or the axes given are not one for each.
        ImportError
            If matplotlib is missing.
        """
        known = [panel for panel in PANELS if self._says(panel)]
        panels = known if panels is None else chosen("panels", panels, PANELS)
        check_axes(ax, panels)
        # Four of them stand two by two.
        n_columns = 2 if len(panels) == 4 else 3
        axes = self._begin(ax, len(panels), n_columns=n_columns, small=(3.9, 3.0))
        self.axes_: dict[str, Any] = dict(zip(panels, axes, strict=True))
        self.lines_: dict[str, Any] = {}
        self.bars_: dict[Any, Any] = {}
        for panel, one in self.axes_.items():
            one.grid(alpha=0.3)
            one.set_axisbelow(True)
            if panel == "error":
                self._draw_error(one, target)
            elif panel == "classes":
                self._draw_classes(one)
            else:
                self._draw_share(one, panel)
            if panel != "classes":
                self._set_x(one)
        return self._end(legend)

    def _set_x(self, ax):
        """The same labelled rows in all panels, also where some rounds say nothing."""
        least, most = min(self._n_labeled), max(self._n_labeled)
        margin = 0.05 * (most - least) or 1
        ax.set(xlabel="Labelled rows", xlim=(least - margin, most + margin))

    def _says(self, panel):
        """Whether any round says something of it."""
        if panel == "classes":
            return any(one.class_counts for one in self.rounds)
        return any(getattr(one, panel) is not None for one in self.rounds)

    @property
    def _n_labeled(self):
        return [one.n_labeled for one in self.rounds]

    def _draw_error(self, ax, target):
        judged = [one.assessment for one in self.rounds if one.assessment is not None]
        confidence = judged[0].overall.confidence if judged else None
        is_score = bool(judged) and judged[0].is_score
        for source, (label, color) in _SOURCES.items():
            if not any(one.source == source for one in self.rounds):
                continue
            ends = np.array(
                [
                    (one.error.estimate, one.error.low, one.error.high)
                    if one.source == source
                    else (np.nan,) * 3
                    for one in self.rounds
                ]
            )
            ends = np.where(np.isfinite(ends), ends, np.nan)
            y, low, high = ends.T
            self.lines_[source], _, _ = ax.errorbar(
                self._n_labeled,
                y,
                # matplotlib 3.8 takes an array of one length for a number.
                yerr=[(y - low).tolist(), (high - y).tolist()],
                color=color,
                capsize=3,
                elinewidth=1,
                label=f"{label}, {confidence:g} interval",
                **_MARKED,
            )
        if target is not None:
            shown_target = f"{100 * target:g}%" if is_score else f"{target:g}"
            label = f"Target {shown_target}"
            ax.axhline(target, color=BLACK, linestyle="--", label=label)
        name = metric_label(error_name(judged[0]) if judged else "error")
        ax.set(ylabel=name, ylim=(0, None))
        if is_score:
            _in_percent(ax)

    def _draw_share(self, ax, panel):
        values = [getattr(one, panel) for one in self.rounds]
        y = np.array(values, dtype=np.float64)
        # What is 0, or an agreement of 1, stands on the edge.
        (line,) = ax.plot(self._n_labeled, y, color=BLUE, clip_on=False, **_MARKED)
        self.lines_[panel] = line
        ax.set_ylabel(_LABELS[panel])
        if panel == "agreement":
            ax.set_ylim(min(0.9, np.nanmin(y, initial=1.0) - 0.02), 1)
            return
        # Not a tenth of a percent blown up to the height of the axes.
        ax.set_ylim(0, max(0.05, 1.05 * np.nanmax(y, initial=0.0)))
        _in_percent(ax)

    def _draw_classes(self, ax):
        """Stacked shares, over the rounds: numbers of labels may lie close together."""
        total = sum((Counter(one.class_counts) for one in self.rounds), Counter())
        named = [label for label, _ in total.most_common(_N_CLASSES)]
        if len(total) == _N_CLASSES + 1:
            named = list(total)
        colors = dict(zip(sorted(named), _colors(len(named)), strict=True))
        numbers = [one.number for one in self.rounds]
        floor = np.zeros(len(numbers))
        for label in [*colors, *([None] if len(total) > len(named) else [])]:
            shares = np.array([_share(one, label, named) for one in self.rounds])
            self.bars_[label] = ax.bar(
                numbers,
                shares,
                bottom=floor,
                color=colors.get(label, GREY),
                edgecolor="white",
                linewidth=0.5,
                label="Other classes" if label is None else literal(f"Class {label}"),
            )
            floor += shares
        ax.set(xlabel="Round", ylabel="Classes of the answers", ylim=(0, 1))
        ax.xaxis.get_major_locator().set_params(integer=True)
        _in_percent(ax)


def _share(one, label, named):
    """The share of a class among the answers of a round; None is all without a name."""
    counts = one.class_counts
    if not counts:
        return np.nan
    rest = sum(count for other, count in counts.items() if other not in named)
    return (rest if label is None else counts.get(label, 0)) / sum(counts.values())


def _colors(n):
    """So many colours, for bars that touch each other."""
    if n < len(COLORS):
        return COLORS[:n]
    from matplotlib import colormaps

    return list(colormaps["tab10"](np.arange(n)))


def _in_percent(ax):
    from matplotlib.ticker import PercentFormatter

    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
