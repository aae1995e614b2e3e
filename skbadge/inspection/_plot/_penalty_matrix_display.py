"""A heat map of which strategy beats which."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from skbadge.inspection._frame import Results
from skbadge.inspection._penalty import PenaltyMatrix, penalty_matrix
from skbadge.inspection._plot._style import literal, pyplot

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Inches of a cell that holds "12.34" in the font below.
_CELL, _FONT = 0.56, 8
_GAP = 0.35


@dataclass(eq=False, repr=False)
class PenaltyMatrixDisplay:
    """Heat map of a penalty matrix, with the column averages as its last row.

    As in Figure 4 of Ash et al. [1]_: the entry of a row and a column is how often the
    row's strategy is significantly better than the column's. Unlike there, strategies
    are in order of their column average, the least often beaten first. Make one with
    `from_frame` or `from_matrix`.

    Parameters
    ----------
    matrix : DataFrame of shape (n_strategies, n_strategies)
        Its row beats its column; the same strategies in both. NaN where there was
        nothing to compare.

    column_average : Series of shape (n_strategies,)
        By strategy, how often it is beaten.

    n_settings : int or None, default=None
        Settings (data set, model, rows asked for) that the matrix sums over.

    definition : {"paper", "script"} or None, default=None
        Whose definition the matrix follows. Numbers do not compare between them.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heat map.

    figure_ : matplotlib Figure
        Their figure.

    strategies_ : list of str
        In the order drawn.

    image_ : matplotlib AxesImage
        The entries; the diagonal is masked.

    average_image_ : matplotlib AxesImage
        The column averages.

    text_ : ndarray of shape (n_strategies + 1, n_strategies)
        Of `matplotlib.text.Text`, the averages last; None on the diagonal.

    See Also
    --------
    skbadge.inspection.penalty_matrix : Computes the matrix.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from skbadge.inspection import PenaltyMatrixDisplay
    >>> names = ["badge", "random"]
    >>> matrix = pd.DataFrame([[0.0, 2.5], [0.5, 0.0]], index=names, columns=names)
    >>> display = PenaltyMatrixDisplay(matrix, matrix.mean(), n_settings=3).plot()
    >>> [text.get_text() for text in display.text_[-1]]
    ['0.25', '1.25']
    """

    matrix: "pd.DataFrame"
    column_average: "pd.Series"
    _: KW_ONLY
    n_settings: int | None = None
    definition: str | None = None

    @classmethod
    def from_matrix(
        cls,
        penalty: PenaltyMatrix,
        *,
        ax: "Axes | None" = None,
        sort: bool = True,
        cmap: Any = "Blues",
        values_format: str = ".2f",
    ) -> Self:
        """Draw a matrix that is there already.

        Parameters
        ----------
        penalty : PenaltyMatrix
            From `skbadge.inspection.penalty_matrix`.

        ax, sort, cmap, values_format
            See `plot`.

        Returns
        -------
        display : PenaltyMatrixDisplay
            Drawn.
        """
        display = cls(
            penalty.matrix,
            penalty.column_average,
            n_settings=penalty.n_settings,
            definition=penalty.definition,
        )
        return display.plot(ax, sort=sort, cmap=cmap, values_format=values_format)

    @classmethod
    def from_frame(
        cls,
        frame: Results,
        definition: Literal["paper", "script"] = "paper",
        *,
        metric: str | None = None,
        alpha: float = 0.05,
        baseline: str = "random",
        paired: bool = True,
        diagonal_in_mean: bool | None = None,
        n_initial: int | None = None,
        error: Literal["auto", "one_minus", "negated"] | Callable = "auto",
        ax: "Axes | None" = None,
        sort: bool = True,
        cmap: Any = "Blues",
        values_format: str = ".2f",
    ) -> Self:
        """Compute the matrix of an experiment, and draw it.

        Parameters
        ----------
        frame : DataFrame, path of a CSV, or object with ``to_frame()``
            The evaluations.

        definition, metric, alpha, baseline, paired, diagonal_in_mean, n_initial, error
            See `skbadge.inspection.penalty_matrix`.

        ax, sort, cmap, values_format
            See `plot`.

        Returns
        -------
        display : PenaltyMatrixDisplay
            Drawn.
        """
        penalty = penalty_matrix(
            frame,
            definition,
            metric=metric,
            alpha=alpha,
            baseline=baseline,
            paired=paired,
            diagonal_in_mean=diagonal_in_mean,
            n_initial=n_initial,
            error=error,
        )
        return cls.from_matrix(
            penalty, ax=ax, sort=sort, cmap=cmap, values_format=values_format
        )

    def plot(
        self,
        ax: "Axes | None" = None,
        *,
        sort: bool = True,
        cmap: Any = "Blues",
        values_format: str = ".2f",
    ) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure whose size follows from the number of
            strategies.

        sort : bool, default=True
            Order strategies by column average, the least first; otherwise as they are
            in `matrix`.

        cmap : str or matplotlib Colormap, default="Blues"
            Colours from 0 to the greatest entry.

        values_format : str, default=".2f"
            Format of the numbers.

        Returns
        -------
        display : PenaltyMatrixDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        plt = pyplot(self)
        names = list(self.matrix.columns)
        if sort:
            names = list(
                self.column_average.loc[names].sort_values(kind="stable").index
            )
        entries = self.matrix.loc[names, names].to_numpy(dtype=np.float64, copy=True)
        average = self.column_average.loc[names].to_numpy(dtype=np.float64)
        np.fill_diagonal(entries, np.nan)
        if ax is None:
            size = (max(4.6, 2.4 + _CELL * len(names)), 2.6 + _CELL * len(names))
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_, self.strategies_ = ax, ax.figure, names
        self._draw_images(plt, entries, average, cmap)
        self._write_numbers(np.vstack([entries, average]), values_format)
        self._label()
        return self

    def _draw_images(self, plt, entries, average, cmap):
        k, ax = len(average), self.ax_
        cmap = plt.get_cmap(cmap).with_extremes(bad="#EEEEEE")
        greatest = np.nanmax(np.vstack([entries, average]), initial=0.0)
        options = {"cmap": cmap, "vmin": 0.0, "vmax": greatest or 1.0}
        self.image_ = ax.imshow(
            np.ma.masked_invalid(entries),
            extent=(-0.5, k - 0.5, k - 0.5, -0.5),
            **options,
        )
        self.average_image_ = ax.imshow(
            np.ma.masked_invalid(average[None]),
            extent=(-0.5, k - 0.5, k + 0.5 + _GAP, k - 0.5 + _GAP),
            **options,
        )
        ax.set(xlim=(-0.5, k - 0.5), ylim=(k + 0.5 + _GAP, -0.5))

    def _write_numbers(self, values, values_format):
        k = values.shape[1]
        self.text_ = np.full(values.shape, None, dtype=object)
        for i, j in np.ndindex(values.shape):
            if i == j:
                continue
            value = values[i, j]
            missing = np.isnan(value)
            red, green, blue, _ = self.image_.cmap(self.image_.norm(value))
            # Relative luminance, but for the display's gamma.
            is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            self.text_[i, j] = self.ax_.text(
                j,
                i + _GAP * (i == k),
                "n/a" if missing else format(value, values_format),
                ha="center",
                va="center",
                fontsize=_FONT,
                color="white" if is_dark and not missing else "black",
            )

    def _label(self):
        ax, names = self.ax_, [literal(name) for name in self.strategies_]
        k = len(names)
        ax.set_xticks(range(k), names, rotation=60, ha="left", rotation_mode="anchor")
        ax.set_yticks(
            [*range(k), k + _GAP], [*names, "column average\n(lower is better)"]
        )
        ax.get_yticklabels()[-1].set_fontweight("bold")
        ax.tick_params(
            top=True, labeltop=True, bottom=False, labelbottom=False, length=0
        )
        ax.spines[:].set_visible(False)
        title = "How often the row beats the column"
        if self.n_settings is not None:
            title += f", of {self.n_settings} setting{'s'[: self.n_settings != 1]}"
        if self.definition is not None:
            title += f"\n(definition of the {self.definition})"
        ax.set_title(title, fontsize="medium")
