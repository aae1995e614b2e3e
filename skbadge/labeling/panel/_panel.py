"""PanelMixin: a session's panel, of widgets in a notebook, or in a terminal."""

import sys
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal

from skbadge.labeling.panel._live_accuracy import LiveAccuracy
from skbadge.labeling.panel._terminal_panel import ask_in_terminal
from skbadge.labeling.panel._widget_panel import WidgetPanel
from skbadge.utils._shown import shown


class PanelMixin:
    """What a session shows to people, row after row."""

    _who: Callable[..., str | None]

    def panel(
        self,
        render: str | tuple[int, ...] | Callable[[Any], Any] | None = None,
        *,
        annotator: str | None = None,
        front: Literal["auto", "widgets", "input"] = "auto",
        pause: float = 0.3,
    ) -> None:
        """Show row after row, with a button and a key for each class.

        In a notebook this is a panel of ipywidgets (extra ``widgets``), which needs no
        JavaScript but theirs: it works in JupyterLab and in VS Code, with the network
        or without. Keys count while the box "keys" has the focus. In a terminal, the
        same keys are asked for by ``input()``.

        What a person does is about the row that they saw: nothing that comes twice, or
        late, or from a page that was loaded again, labels another row. Each answer is
        kept before the next row appears; if it cannot be, the panel says why and stays.
        A panel goes on where another one on the same ledger stopped, which it replaces.

        Where no classes were given, the classes are those seen so far, and another one
        can be typed; so can the numbers of a regressor.

        A curve shows how often the model was right about the last rows before it
        learned of them. These are rows that it finds hard; on the whole pool it is
        right more often. Its guess is not shown, so that it sways nobody. With a
        monitor, a line says what that has found of the last round.

        Parameters
        ----------
        render : None, "image", tuple of int or callable, default=None
            How a row is shown. None takes a text as it is, a row of a table as names
            and values, and an array of shape (height, width), with channels of colour
            last or first, as a picture. "image" takes as many numbers as a square has
            pixels for a picture, and a tuple is the shape of the picture. A function
            of a row returns any of these, or an object that a notebook can display.

        annotator : str or None, default=None
            Who answers. None is the session's own.

        front : {"auto", "widgets", "input"}, default="auto"
            Where to show it. "auto" takes widgets in a kernel of Jupyter. Pass "input"
            where a kernel has a front end without widgets.

        pause : float, default=0.3
            Seconds after a row has appeared in which nothing counts, since nobody has
            read it yet: so a double click is no answer to the next row.

        Notes
        -----
        The values of a row are shown as they are, never as code of a page. What a
        function of the user returns may be HTML, if it is an object that says so.
        """
        if front not in ("auto", "widgets", "input"):
            raise ValueError(
                f"`front` must be 'auto', 'widgets' or 'input'. Got {shown(front)}."
            )
        if not pause >= 0:
            raise ValueError(f"`pause` must be >= 0, in seconds. Got {shown(pause)}.")
        annotator = self._who(annotator)
        if front == "auto":
            front = "widgets" if _is_in_notebook() else "input"
            if front == "widgets" and find_spec("ipywidgets") is None:
                print('`pip install "skbadge[widgets]"` gives a panel to click on.')
                front = "input"
        if front == "input":
            ask_in_terminal(self, render, annotator)
            return
        panel = WidgetPanel(self, render, annotator, pause)
        from IPython.display import display

        display(panel)

    @cached_property
    def _accuracy(self):
        return LiveAccuracy()

    @property
    def _takes_numbers(self):
        """Whether labels are numbers, and not classes."""
        return not self._reader.is_classifier

    def _guess(self, id):
        """The class of a row by the last model; None before, and for numbers."""
        if self._takes_numbers:
            return None
        return self._rounds.guess(self._pool.position(self._pool.key_of(id)))


def _is_in_notebook():
    """Whether a kernel of Jupyter runs this, and no terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
