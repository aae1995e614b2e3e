"""A query in two dimensions: the pool, the labelled rows, and the rows selected."""

from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skbadge._compat import Interval, validate_parameter_constraints
from skbadge.inspection._plot._projection import Projection, project_query
from skbadge.inspection._plot._style import (
    BLUE,
    COLORS,
    GREY,
    VERMILION,
    Drawing,
    legend_label,
    literal,
)
from skbadge.outputs._pipeline import unwrap
from skbadge.pools import n_rows
from skbadge.querier import BadgeQuerier, QueryReport
from skbadge.utils._typing import RandomState
from skbadge.utils._validation import check_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Shapes for classes beyond the number of colours.
_SHAPES = ("o", "^", "s", "D", "v", "P", "X")
_SIZES = {"pool": 9, "labeled": 26, "picks": 30, "ring": 95}


@dataclass(eq=False, repr=False)
class QueryDisplay(Drawing):
    """Where the rows of a query lie among the pool and the labelled rows.

    Rows are projected to the two directions in which the pool varies most, in the space
    in which the strategy compares them. Two directions of many leave most of that space
    out: rows that lie on top of each other here may be far apart. Make one with
    `from_querier`.

    Parameters
    ----------
    projection : Projection
        Coordinates of the rows.

    y_pool : ndarray of shape (n_shown,) or None, default=None
        Classes of the rows of the pool that are shown and were not picked.

    y_picks : ndarray of shape (n_picks,) or None, default=None
        Classes of the picked rows.

    y_labeled : ndarray of shape (n_labeled,) or None, default=None
        Classes of the labelled rows that are shown.

    n_pool : int or None, default=None
        Rows of the pool, where not all of them are shown.

    strategy : str or None, default=None
        What to say of who selected.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.

    figure_ : matplotlib Figure
        Their figure.

    points_ : dict of str to list of matplotlib PathCollection
        "pool", "labeled" (if there are any) and "picks": the points, class by class.

    rings_ : matplotlib PathCollection
        The rings around the picked rows.

    legend_ : matplotlib Legend or None
        The legend.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge import BadgeQuerier
    >>> from skbadge.inspection import QueryDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> querier = BadgeQuerier(LogisticRegression(), random_state=0)
    >>> querier = querier.fit(X[::10], y[::10])
    >>> display = QueryDisplay.from_querier(querier, X, querier.query(X, 5))
    >>> display.projection.picks.shape
    (5, 2)
    """

    projection: Projection
    _: KW_ONLY
    y_pool: ArrayLike | None = None
    y_picks: ArrayLike | None = None
    y_labeled: ArrayLike | None = None
    n_pool: int | None = None
    strategy: str | None = None

    @classmethod
    def from_querier(
        cls,
        querier: BaseEstimator,
        X_pool: Any,
        rows: ArrayLike | QueryReport,
        *,
        labeled: bool = True,
        y_pool: ArrayLike | None = None,
        max_points: int = 5000,
        random_state: RandomState = None,
        ax: "Axes | None" = None,
        legend: str | None = "outside",
    ) -> Self:
        """Project a pool by what a querier makes of it, and draw it.

        Parameters
        ----------
        querier : BadgeQuerier, or Pipeline or search that ends in one
            Trained, and not trained again since the query.

        X_pool : array-like of shape (n_pool, n_features), or what the estimator takes
            The pool that was queried.

        rows : array-like of shape (n,) or QueryReport
            What the query returned: the positions, or the report.

        labeled : bool, default=True
            Whether to draw the labelled rows, if there are any.

        y_pool : array-like of shape (n_pool,) or None, default=None
            Classes of the pool where they are known, to colour all points by class.

        max_points : int, default=5000
            Rows of the pool, and labelled rows, to draw at most, picked rows not
            counted: a random part.

        random_state : None, int or RandomState
            Draws that part, and the random vectors of large projections.

        ax, legend
            See `plot`.

        Returns
        -------
        display : QueryDisplay
            Drawn.

        Raises
        ------
        NotFittedError
            If there is no trained model yet.
        TypeError
            If there is no querier, or nothing numeric to project.
        ValueError
            If ``rows``, ``y_pool`` or ``max_points`` are not as described.

        Notes
        -----
        The space is the strategy's embedding where it has one, such as the gradients of
        BADGE, or else the model's features, or else the numeric columns of the input;
        the axis labels say which. Embeddings of more than 128 MiB are sketched to 512
        columns first, see `skbadge.embeddings.sketch`.

        Reads the model once for the pool and once for the labelled rows.
        """
        validate_parameter_constraints(
            {"max_points": [Interval(Integral, 1, None, closed="left")]},
            {"max_points": max_points},
            caller_name=f"{cls.__name__}.from_querier",
        )
        querier, X_pool = unwrap(querier, X_pool)
        if not isinstance(querier, BadgeQuerier):
            raise TypeError(
                "`querier` must be a BadgeQuerier, or a Pipeline or search that ends "
                f"in one. Got {type(querier).__name__} at the end instead."
            )
        n_pool = n_rows(X_pool)
        report = rows if isinstance(rows, QueryReport) else None
        picks = _check_picks(rows if report is None else report.rows, n_pool)
        projection = project_query(
            querier,
            X_pool,
            picks,
            with_labeled=labeled,
            max_points=int(max_points),
            random_state=random_state,
        )
        classes = {}
        if y_pool is not None:
            known = _check_classes(y_pool, n_pool)
            classes = {"y_pool": known[projection.pool_rows], "y_picks": known[picks]}
            if projection.labeled is not None:
                classes["y_labeled"] = querier.y_labeled_[projection.labeled_rows]
        strategy = str(querier.strategy) if report is None else report.strategy
        display = cls(projection, n_pool=n_pool, strategy=strategy, **classes)
        return display.plot(ax, legend=legend)

    def plot(self, ax: "Axes | None" = None, *, legend: str | None = "outside") -> Self:
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.

        legend : str or None, default="outside"
            "outside", to the right of the axes; None for none; or a matplotlib ``loc``.

        Returns
        -------
        display : QueryDisplay
            Itself.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        (self.ax_,) = self._begin(ax, size=(6.0, 5.0))
        kinds = {"pool": (self.projection.pool, self.y_pool)}
        if self.projection.labeled is not None:
            kinds["labeled"] = self.projection.labeled, self.y_labeled
        kinds["picks"] = self.projection.picks, self.y_picks
        looks = self._class_looks()
        self.points_ = {
            kind: self._draw_kind(kind, points, y, looks)
            for kind, (points, y) in kinds.items()
        }
        self.rings_ = self.ax_.scatter(
            self.projection.picks[:, 0],
            self.projection.picks[:, 1],
            s=_SIZES["ring"],
            facecolors="none",
            edgecolors="black",
            linewidths=1.4,
            zorder=5,
        )
        self._legend_entries(looks)
        self._label()
        return self._end(legend)

    def _class_looks(self):
        """Colour and shape of each class, or nothing if no classes are known."""
        given = [self.y_pool, self.y_picks, self.y_labeled]
        given = [part for part in given if part is not None]
        if not given:
            return {}
        classes = np.unique(np.concatenate(given))
        n = len(COLORS)
        return {
            label: (COLORS[i % n], _SHAPES[i // n % len(_SHAPES)])
            for i, label in enumerate(classes.tolist())
        }

    def _draw_kind(self, kind, points, y, looks):
        style = {
            "pool": {"alpha": 0.55, "linewidths": 0, "rasterized": True, "zorder": 2},
            "picks": {"edgecolors": "white", "linewidths": 0.5, "zorder": 3},
            # Gradients of rows that the model was trained on are all close to zero.
            "labeled": {"edgecolors": "black", "linewidths": 0.8, "zorder": 4},
        }[kind]
        if y is None:
            parts = [(points, *_PLAIN[kind])]
        else:
            parts = [(points[y == label], *look) for label, look in looks.items()]
        return [
            self.ax_.scatter(*part.T, s=_SIZES[kind], c=color, marker=shape, **style)
            for part, color, shape in parts
        ]

    def _legend_entries(self, looks):
        n_shown = len(self.projection.pool) + len(self.projection.picks)
        is_part = self.n_pool is not None and n_shown < self.n_pool
        names = {
            "pool": f"pool ({n_shown} of {self.n_pool} rows)" if is_part else "pool",
            "labeled": "labelled",
            "picks": "selected",
        }
        for kind in self.points_:
            color, shape = (GREY, "o") if looks else _PLAIN[kind]
            edge = {"pool": "none", "labeled": "black", "picks": "black"}[kind]
            # An area is the square of a diameter.
            size = _SIZES["ring" if kind == "picks" else kind] ** 0.5
            self._add_entry(
                label=names[kind],
                marker=shape,
                markersize=size,
                markerfacecolor=color,
                markeredgecolor=edge,
            )
        for label, (color, shape) in looks.items():
            self._add_entry(label=legend_label(label), marker=shape, color=color)

    def _add_entry(self, **style):
        self.ax_.plot([], [], linestyle="none", **style)

    def _label(self):
        names = ("First", "Second")
        labels = [
            f"{name} principal component ({share:.0%} of the variance)"
            for name, share in zip(names, self.projection.explained, strict=True)
        ]
        n = len(self.projection.picks)
        title = f"{n} row{'s'[: n != 1]} selected"
        title += f" by {literal(self.strategy)}" if self.strategy else ""
        self.ax_.set(xlabel=labels[0], ylabel=labels[1])
        self.ax_.set_title(
            f"{title}\nProjection of {self.projection.space}", fontsize="medium"
        )
        # Distances on paper are those along the two components.
        self.ax_.set_aspect("equal", adjustable="datalim")


_PLAIN = {"pool": (GREY, "o"), "labeled": (BLUE, "s"), "picks": (VERMILION, "o")}


def _check_picks(rows, n_pool):
    picks = np.asarray(rows)
    is_int = picks.size == 0 or np.issubdtype(picks.dtype, np.integer)
    if picks.ndim != 1 or not is_int:
        raise ValueError(
            "`rows` must be a 1-D array of int positions, or a QueryReport. "
            f"Got dtype {picks.dtype} and shape {picks.shape} instead."
        )
    return check_positions(picks, n_pool, "`rows` must hold")


def _check_classes(y_pool, n_pool):
    y_pool = np.asarray(y_pool)
    if y_pool.shape != (n_pool,):
        raise ValueError(
            f"`y_pool` must have one label for each of the {n_pool} rows of `X_pool`. "
            f"Got an array of shape {y_pool.shape} instead."
        )
    return y_pool
