"""One look for each strategy, and what the Displays share in drawing it."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from skbadge.inspection._frame import check_choice
from skbadge.utils._optional import import_optional

# Okabe and Ito's colours, told apart by every kind of colour vision. Their yellow is
# left out: it is too pale for a line on white.
VERMILION, BLUE, SKY, GREEN = "#D55E00", "#0072B2", "#56B4E9", "#009E73"
PURPLE, ORANGE, BLACK = "#CC79A7", "#E69F00", "#000000"
COLORS = (VERMILION, BLUE, SKY, GREEN, PURPLE, ORANGE, BLACK)
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h", "<", ">", "d", "*")
GREY = "#BBBBBB"
BAND_ALPHA = 0.15

# A dash and two dots.
DASH_DOTS = (0, (5, 1.5, 1, 1.5, 1, 1.5))
SHORT_DASHES = (0, (3, 1))

# No two share both colour and line. Solid are the strategies of the BADGE paper's
# experiments, dash and dots those of the regression benchmark and falcun, short dashes
# those for few labels, dashed the others; a solid black line is the baseline's alone.
# What a name means for regressors goes by the same marker under its own name:
# `posterior_bait` is `bait` there.
KNOWN = {
    "badge": (VERMILION, "o", "-"),
    "margin": (BLUE, "s", "-"),
    "least_confidence": (SKY, "D", "-"),
    "entropy": (GREEN, "^", "-"),
    "core_set": (PURPLE, "v", "-"),
    "albl": (ORANGE, "P", "-"),
    "random": (BLACK, "x", "-"),
    "bait": (VERMILION, "X", "--"),
    "badge_kdpp": (BLUE, "<", "--"),
    "bald": (SKY, "p", "--"),
    "badge_max_det": (GREEN, ">", "--"),
    "badge_k_center": (PURPLE, "*", "--"),
    "batch_bald": (ORANGE, "h", "--"),
    "lcmd": (BLUE, "D", DASH_DOTS),
    "acs_fw": (GREEN, "d", DASH_DOTS),
    "posterior_bait": (VERMILION, "X", DASH_DOTS),
    "posterior_kmeans_plus_plus": (BLACK, "o", DASH_DOTS),
    "posterior_max_det": (ORANGE, "h", DASH_DOTS),
    "posterior_variance": (SKY, "p", DASH_DOTS),
    "uncertainty_herding": (GREEN, "d", SHORT_DASHES),
    "max_herding": (ORANGE, "H", SHORT_DASHES),
    "typiclust": (SKY, "8", SHORT_DASHES),
    "refine": (VERMILION, "+", SHORT_DASHES),
    "alfa_mix": (BLACK, "1", SHORT_DASHES),
    "falcun": (PURPLE, "d", DASH_DOTS),
    "drop_query": (PURPLE, "2", SHORT_DASHES),
}
# Lines that no known strategy has, so that no other name can look like one.
_OTHER_LINES = (":", "-.")
_OTHERS = tuple(
    (color, marker, line)
    for marker in MARKERS
    for line in _OTHER_LINES
    for color in COLORS
)


def strategy_styles(names: str | Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and line of the strategies of one picture, by name.

    A strategy looks the same in all pictures: those known by name have a look of their
    own, that of any other name follows from its letters. Where the letters of two names
    lead to the same look, which happens once in about 180 pairs, the later in the
    alphabet takes the next one.

    Parameters
    ----------
    names : str or iterable of str
        All strategies of the picture.

    Returns
    -------
    styles : dict of str to dict
        `color`, `marker` and `linestyle` of each, as `matplotlib.lines.Line2D` takes
        them, in the order of ``names``.

    Examples
    --------
    >>> from skbadge.inspection import strategy_styles
    >>> strategy_styles(["random"])
    {'random': {'color': '#000000', 'marker': 'x', 'linestyle': '-'}}
    """
    names = list(dict.fromkeys(as_list(names)))
    looks: dict[str, tuple] = {}
    taken: set[int] = set()
    for name in sorted(names, key=str):
        if name in KNOWN:
            looks[name] = KNOWN[name]
            continue
        position = zlib.crc32(str(name).encode()) % len(_OTHERS)
        while len(taken) < len(_OTHERS) and position in taken:
            position = (position + 1) % len(_OTHERS)
        taken.add(position)
        looks[name] = _OTHERS[position]
    keys = ("color", "marker", "linestyle")
    return {name: dict(zip(keys, looks[name], strict=True)) for name in names}


def line_kwargs(names, curve_kwargs, defaults):
    """Keyword arguments of each strategy's line, by their full names.

    ``curve_kwargs``, keywords of `matplotlib.lines.Line2D` for all lines or a dict of
    such dicts by strategy, go before the strategy's look and the defaults.
    """
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    styles = strategy_styles(names)
    given = {} if curve_kwargs is None else curve_kwargs
    if not isinstance(given, Mapping):
        raise ValueError(
            "`curve_kwargs` must be a dict of keywords, or a dict of such dicts by "
            f"strategy, or None. Got {curve_kwargs!r} instead."
        )
    if given and all(isinstance(value, Mapping) for value in given.values()):
        for name in given:
            check_choice("curve_kwargs", name, styles)
        own = {name: given.get(name, {}) for name in styles}
    else:
        own = dict.fromkeys(styles, given)
    return {
        name: {**defaults, **style, **normalize_kwargs(own[name], Line2D)}
        for name, style in styles.items()
    }


def as_list(given):
    """A list of what was given, be it one or several."""
    return [given] if isinstance(given, str | int | np.integer) else list(given)


def check_axes(ax, names):
    """Raise unless no axes are given, or one for each of what is drawn."""
    if ax is not None and np.size(ax) != len(names):
        raise ValueError(
            f"`ax` must be one axes for each of {names}. Got {np.size(ax)}."
        )


def chosen(parameter, given, known):
    """What to draw, as a list: what was named, one or several, or all that is known."""
    names = list(known) if given is None else as_list(given)
    for name in names:
        check_choice(parameter, name, known)
    return names


class Drawing:
    """Base of the Displays: where they draw, and the legend of all their axes."""

    def _begin(self, ax, n_axes=1, **layout):
        """The axes to draw on, in a list: those given, or those of a new figure."""
        self._is_own = ax is None
        if self._is_own:
            self._axes = new_axes(pyplot(self), n_axes, **layout)
        else:
            self._axes = list(np.ravel(ax))
        self.figure_ = self._axes[0].figure
        return self._axes

    def _end(self, legend):
        """The display itself, with its legend drawn."""
        self.legend_ = add_legend(self._axes, is_own=self._is_own, legend=legend)
        return self


def pyplot(display):
    """`matplotlib.pyplot`, or an error that says what to install for the Display."""
    purpose = f"{type(display).__name__}.plot"
    return import_optional("matplotlib.pyplot", extra="plot", purpose=purpose)


def new_axes(plt, n_axes, *, n_columns=3, size=(6.4, 4.4), small=(3.9, 3.1)):
    """Axes in a new figure with room for a legend, row by row.

    A single one is of one size, each of several of a smaller one, both in inches.
    """
    columns = min(n_axes, n_columns)
    rows = -(-n_axes // columns)
    if n_axes > 1:
        size = columns * small[0], rows * small[1]
    # 1.8 inches for the legend.
    figsize = size[0] + 1.8, size[1]
    _, grid = plt.subplots(
        rows, columns, figsize=figsize, layout="constrained", squeeze=False
    )
    axes = list(grid.flat)
    for left_over in axes[n_axes:]:
        left_over.remove()
    return axes[:n_axes]


def add_legend(axes, *, is_own, legend):
    """One legend for all axes, which lists each line once; None if there is none.

    "outside" puts it to the right of the axes, or where it hides least if these are
    somebody else's and the figure would not make room for it. Anything else is the
    ``loc`` of a legend within the first axes.
    """
    entries = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if legend is None or not entries:
        return None
    made = _place_legend(axes[0], entries, is_own, legend)
    for text in made.get_texts():
        # Not every font has it.
        text.set_text(text.get_text().removeprefix(_NO_WIDTH))
    return made


def _place_legend(first, entries, is_own, legend):
    parts = {
        "handles": list(entries.values()),
        "labels": list(entries),
        "frameon": False,
    }
    if legend != "outside":
        return first.legend(loc=legend, **parts)
    if is_own:
        return first.figure.legend(loc="outside right upper", **parts)
    if first.figure.get_layout_engine() is None:
        return first.legend(loc="best", **parts)
    return first.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), **parts)


def literal(text):
    r"""Text that matplotlib draws as it is: a dollar sign begins no formula.

    Examples
    --------
    >>> from skbadge.inspection._plot._style import literal
    >>> print(literal("$x$"))
    \$x\$
    """
    return str(text).replace("$", "\\$")


def legend_label(name):
    r"""The label of an artist that a legend shows as a name.

    Matplotlib leaves out of legends what begins with an underscore: a space of no width
    goes before it, which `add_legend` takes away again.

    Examples
    --------
    >>> from skbadge.inspection._plot._style import legend_label
    >>> legend_label("badge"), legend_label("_mine")
    ('badge', '\u200b_mine')
    """
    text = literal(name)
    return f"{_NO_WIDTH}{text}" if text.startswith("_") else text


_NO_WIDTH = "\u200b"


def metric_label(metric):
    """A metric's name as an axis says it.

    Parameters
    ----------
    metric : str
        As in `sklearn.metrics.get_scorer_names`.

    Examples
    --------
    >>> from skbadge.inspection._plot._style import metric_label
    >>> metric_label("neg_log_loss"), metric_label("roc_auc")
    ('Negative log loss', 'ROC AUC')
    """
    words = str(metric).split("_")
    words = ["negative" if word == "neg" else word for word in words]
    words = [word.upper() if word in _ACRONYMS else word for word in words]
    label = literal(" ".join(words))
    return label[:1].upper() + label[1:]


_ACRONYMS = {"auc", "roc", "ovo", "ovr", "rmse", "mae", "mse"}
