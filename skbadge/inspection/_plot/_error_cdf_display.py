"""Distribution of the errors of strategies, relative to a baseline's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from skbadge.inspection._error_cdf import NormalizedErrorCDF, normalized_error_cdf
from skbadge.inspection._frame import Results
from skbadge.inspection._plot._style import (
    GREY,
    Drawing,
    chosen,
    legend_label,
    line_kwargs,
    literal,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_MARKERS = 12


@dataclass(eq=False, repr=False)
class ErrorCDFDisplay(Drawing):
    """Step functions of the distribution of normalised errors, by strategy.

    As in Figure 5 of Ash et al. [1]_: the height of a curve at ``x`` is the weighted
    share of settings and label budgets at which the strategy's mean error is at most
    ``x`` times the baseline's. The higher a curve, the better; the baseline itself is a
    step at 1. Make one with `from_frame`.

    Parameters
    ----------
    errors : NormalizedErrorCDF
        From `skbadge.inspection.normalized_error_cdf`.

    strategies : str, list of str, or None, default=None
        Which strategies to draw, in that order; None for all.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.

    figure_ : matplotlib Figure
        Their figure.

    lines_ : dict of str to matplotlib Line2D
        The curve of each strategy, from one end of the axis to the other.

    legend_ : matplotlib Legend or None
        The legend.

    See Also
    --------
    skbadge.inspection.normalized_error_cdf : Computes the distributions.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import ErrorCDFDisplay
    >>> scores = {"badge": [0.5, 0.8, 0.9], "random": [0.5, 0.6, 0.9]}
    >>> frame = pd.DataFrame([
    ...     {"strategy": name, "n_query": 100, "repeat": 0,
    ...      "n_labeled": 100 * (i + 1), "score": score}
    ...     for name, curve in scores.items()
    ...     for i, score in enumerate(curve)
    ... ])
    >>> display = ErrorCDFDisplay.from_frame(frame)
    >>> display.lines_["random"].get_xdata()[1:-1].tolist()
    [1.0]
    """

    errors: NormalizedErrorCDF
    _: KW_ONLY
    strategies: str | Sequence[str] | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        definition: Literal["paper", "script"] = "paper",
        *,
        metric: str | None = None,
        baseline: str = "random",
        n_initial: int | None = None,
        error: Literal["auto", "one_minus", "negated"] | Callable = "auto",
        strategies: str | Sequence[str] | None = None,
        ax: "Axes | None" = None,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Compute the distributions of an experiment, and draw them.

        Parameters
        ----------
        frame : DataFrame, path to a CSV file, or object with ``to_frame()``
            Results, one row per evaluation and metric.

        definition, metric, baseline, n_initial, error
            See `skbadge.inspection.normalized_error_cdf`.

        strategies : str, list of str, or None, default=None
            Which strategies to draw, in that order; None for all.

        ax, curve_kwargs, legend
            See `plot`.

        Returns
        -------
        display : ErrorCDFDisplay
            Drawn.
        """
        errors = normalized_error_cdf(
            frame,
            definition,
            metric=metric,
            baseline=baseline,
            n_initial=n_initial,
            error=error,
        )
        display = cls(errors, strategies=strategies)
        return display.plot(ax, curve_kwargs=curve_kwargs, legend=legend)

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        curve_kwargs: Mapping | None = None,
        legend: str | None = "outside",
    ) -> Self:
        """Draw the step functions.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        curve_kwargs : dict, dict of str to dict, or None, default=None
            Keywords of `matplotlib.lines.Line2D` for all curves, or by strategy.

        legend : str or None, default="outside"
            "outside", to the right of the axes; None for none; or a matplotlib ``loc``.

        Returns
        -------
        display : ErrorCDFDisplay
            Itself.

        Raises
        ------
        ValueError
            If there is nothing to draw, or a strategy is not there.
        ImportError
            If matplotlib is missing.
        """
        names = chosen("strategies", self.strategies, self.errors.strategies)
        if not names:
            reasons = sorted(set(self.errors.skipped["reason"]))
            raise ValueError(f"There is no normalised error to draw: {reasons}.")
        steps = {name: self.errors.cdf(name) for name in names}
        (ax,) = self._begin(ax)
        kwargs = line_kwargs(steps, curve_kwargs, {"markersize": 5, "linewidth": 1.5})
        edges = np.concatenate([x for x, _ in steps.values()])
        low, high = min(edges.min(), 1.0), max(edges.max(), 1.0)
        margin = 0.05 * (high - low) or 0.05
        low, high = low - margin, high + margin
        self.lines_ = {}
        ax.axvline(1, color=GREY, linewidth=1, zorder=0)
        for name, (x, share) in steps.items():
            # From zero at the left edge to the last height at the right one.
            x, share = np.r_[low, x, high], np.r_[0.0, share, share[-1]]
            every = -(-len(x) // _N_MARKERS)
            # The first point is where all curves begin.
            options = {"label": legend_label(name), "drawstyle": "steps-post"}
            options["markevery"] = (1, every)
            (self.lines_[name],) = ax.plot(x, share, **(options | kwargs[name]))
        ax.set(
            xlim=(low, high),
            ylim=(-0.02, 1.02),
            xlabel=f"Error divided by that of {literal(self.errors.baseline)}",
            ylabel="Share of settings and label budgets",
        )
        ax.grid(alpha=0.3)
        self.ax_ = ax
        return self._end(legend)
