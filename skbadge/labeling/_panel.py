"""Which panel a session shows: widgets in a notebook, questions in a terminal."""

import sys
from importlib.util import find_spec

from skbadge.labeling._terminal_panel import ask_in_terminal
from skbadge.labeling._widget_panel import WidgetPanel
from skbadge.utils._shown import shown


def show_panel(session, render, annotator, front, pause):
    """Show the panel of a session, as `LabelingSession.panel` says."""
    if front not in ("auto", "widgets", "input"):
        raise ValueError(
            f"`front` must be 'auto', 'widgets' or 'input'. Got {shown(front)}."
        )
    if not pause >= 0:
        raise ValueError(f"`pause` must be >= 0, in seconds. Got {shown(pause)}.")
    if front == "auto":
        front = "widgets" if _is_in_notebook() else "input"
        if front == "widgets" and find_spec("ipywidgets") is None:
            print('With `pip install "skbadge[widgets]"`, this is a panel to click on.')
            front = "input"
    if front == "input":
        ask_in_terminal(session, render, annotator)
        return
    panel = WidgetPanel(session, render, annotator, pause)
    from IPython.display import display

    display(panel)


def _is_in_notebook():
    """Whether a kernel of Jupyter runs this, and no terminal."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
