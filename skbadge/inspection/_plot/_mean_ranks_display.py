"""Mean ranks on a line, with bars over those that do not differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from skbadge.inspection._frame import Results
from skbadge.inspection._mean_ranks import MeanRanks, mean_ranks
from skbadge.inspection._plot._style import (
    GREY,
    literal,
    metric_label,
    pyplot,
    strategy_styles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Heights, in rows of names: of the ruler above the axis, between bars, and of a row in
# inches.
_RULER, _BAR, _ROW = 1.6, 0.45, 0.24


@dataclass(eq=False, repr=False)
class MeanRanksDisplay:
    """Critical-difference diagram of mean ranks.

    As by Demšar [1]_: strategies stand on an axis at their mean rank, the best on the
    left. A bar joins those that Nemenyi's test does not tell apart; the ruler above the
    axis is as long as the critical difference. Make one with `from_frame`.

    Parameters
    ----------
    ranks : MeanRanks
        From `skbadge.inspection.mean_ranks`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the diagram.

    figure_ : matplotlib Figure
        Their figure.

    lines_ : dict of str to matplotlib Line2D
        From each strategy's mark at its mean rank to its name.

    text_ : dict of str to matplotlib Text
        The names, with the mean ranks.

    bars_ : list of matplotlib Line2D
        One for each of `MeanRanks.groups`.

    ruler_ : matplotlib Line2D
        The critical difference.

    See Also
    --------
    skbadge.inspection.mean_ranks : Computes the ranks.

    References
    ----------
    .. [1] J. Demšar. "Statistical comparisons of classifiers over multiple data sets".
       JMLR 7, 2006.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import MeanRanksDisplay
    >>> frame = pd.DataFrame([
    ...     {"dataset": f"data{i}", "strategy": name, "n_query": 10, "repeat": 0,
    ...      "n_labeled": 50, "score": score}
    ...     for i in range(4)
    ...     for name, score in (("badge", 0.9), ("margin", 0.8), ("random", 0.7))
    ... ])
    >>> display = MeanRanksDisplay.from_frame(frame, at="final")
    >>> [text.get_text() for text in display.text_.values()]
    ['badge  1.00', 'margin  2.00', '3.00  random']
    """

    ranks: MeanRanks

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        *,
        metric: str | None = None,
        at: Literal["area", "final"] | int = "area",
        strategies: Sequence[str] | None = None,
        block: Literal["dataset", "setting"] = "dataset",
        alpha: float = 0.05,
        ax: "Axes | None" = None,
    ) -> Self:
        """Compute the mean ranks of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, one row per evaluation and metric.

        metric, at, strategies, block, alpha
            See `skbadge.inspection.mean_ranks`.

        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : MeanRanksDisplay
            Drawn.
        """
        ranks = mean_ranks(
            frame,
            metric=metric,
            at=at,
            strategies=strategies,
            block=block,
            alpha=alpha,
        )
        return cls(ranks).plot(ax)

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw axis, names, bars and ruler.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : MeanRanksDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        plt = pyplot(self)
        names = self.ranks.table["strategy"].tolist()
        means = dict(zip(names, self.ranks.table["mean_rank"], strict=True))
        levels = _levels(self.ranks.groups, names)
        first = -_BAR * (max(levels, default=-1) + 1) - 1.0  # the first row of names
        n_rows = -(-len(names) // 2)
        if ax is None:
            height = _ROW * (_RULER - first + n_rows) + 0.7
            _, ax = plt.subplots(figsize=(7.2, height), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        critical = self.ranks.critical_difference
        last = max(len(names), 1 + critical)
        self._draw_names(means, first, (1.0, last))
        self.bars_ = [
            ax.plot(
                [means[group[0]], means[group[-1]]],
                [-_BAR * (level + 1)] * 2,
                color="black",
                linewidth=3.5,
                solid_capstyle="round",
            )[0]
            for group, level in zip(self.ranks.groups, levels, strict=True)
        ]
        ruler = [1, 1 + critical], [0.8, 0.8]
        self.ruler_ = ax.plot(*ruler, color="black", linewidth=1.2, marker="|")[0]
        ax.text(1, 1.0, f"critical difference {critical:.2f}", va="bottom", fontsize=8)
        ax.set(xlim=(0.9, last + 0.1), ylim=(first - n_rows + 0.5, _RULER + 0.2))
        self._label()
        return self

    def _draw_names(self, means, first, edges):
        ax, half = self.ax_, -(-len(means) // 2)
        self.lines_, self.text_ = {}, {}
        for i, (name, style) in enumerate(strategy_styles(means).items()):
            is_left = i < half
            # From the outside to the middle, so that no two lines cross.
            y = first - (i if is_left else len(means) - 1 - i)
            mean, edge = means[name], edges[0] if is_left else edges[1]
            (self.lines_[name],) = ax.plot(
                [mean, mean, edge],
                [0, y, y],
                color=GREY,
                linewidth=1,
                marker=style["marker"],
                markevery=[0],
                markerfacecolor=style["color"],
                markeredgecolor=style["color"],
                clip_on=False,
                zorder=3,
            )
            parts = [literal(name), f"{mean:.2f}"]
            self.text_[name] = ax.annotate(
                "  ".join(parts if is_left else parts[::-1]),
                (edge, y),
                xytext=(-4 if is_left else 4, 0),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="center",
            )

    def _label(self):
        ax, ranks = self.ax_, self.ranks
        n, k = ranks.ranks.shape
        what = "data set" if ranks.block == "dataset" else "setting"
        ax.set_title(
            f"Mean rank by {metric_label(ranks.metric).lower()}, over {n} {what}"
            f"{'s'[: n != 1]} (1 is best)",
            fontsize="medium",
        )
        ax.spines[:].set_visible(False)
        ax.spines["bottom"].set(visible=True, position=("data", 0), bounds=(1, k))
        ax.set_xticks(range(1, k + 1))
        ax.tick_params(axis="x", direction="in", pad=-16)
        ax.set_yticks([])


def _levels(groups, names):
    """Rows of bars, from 0, so that no two in a row overlap or touch."""
    ends, levels = [], []
    for group in groups:
        start, stop = names.index(group[0]), names.index(group[-1])
        level = next((i for i, end in enumerate(ends) if end < start), len(ends))
        ends[level : level + 1] = [stop]
        levels.append(level)
    return levels
