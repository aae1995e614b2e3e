"""WidgetPanel: rows to label in a notebook, with a button and a key for each class."""

import os
import threading
import time
from html import escape
from weakref import WeakValueDictionary

from skbadge.labeling.panel._turns import Turns
from skbadge.utils._optional import import_optional

# The latest panel on each ledger, of each person.
_LATEST: WeakValueDictionary = WeakValueDictionary()
# After a page is loaded again, JupyterLab hands what is done to another thread.
_LOCK = threading.RLock()


class WidgetPanel:
    """Rows to label in a notebook, one after another.

    What a person does is about the row that they saw: each row has buttons of its own,
    and the box for keys begins with the number of the row's turn. A browser sends the
    text of the box whenever it changes, so that keys need no JavaScript but that of
    ipywidgets, which every front end has.

    Parameters
    ----------
    session : LabelingSession
        Which hands out rows and keeps answers.

    render : None, "image", tuple of int or callable
        How rows are shown.

    annotator : str or None
        Who answers.

    pause : float
        Seconds after a row has appeared in which nothing counts.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The panel.
    """

    def __init__(self, session, render, annotator, pause):
        self._make = import_optional(
            "ipywidgets", extra="widgets", purpose="A panel in a notebook"
        )
        self._pause, self._counts_from = pause, 0.0
        self._make_widgets()
        with _LOCK:
            place = os.path.realpath(session.store), annotator
            before = _LATEST.pop(place, None)
            if before is not None:
                before.close()
            _LATEST[place] = self
            self.turns = Turns(session, annotator, render, self._tell)
            self._lay_out()
            self._show()
            self._do(self.turns.look)

    def _make_widgets(self):
        make, layout = self._make, self._make.Layout
        self._progress, self._status, self._note = make.HTML(), make.HTML(), make.HTML()
        self._html, self._object = make.HTML(), make.Output()
        # The least height keeps the buttons in their place, from row to row.
        self._row = make.VBox(
            layout=layout(min_height="120px", padding="8px 0", overflow="auto")
        )
        # With buttons, which each row has anew.
        self._boxes = [make.HBox(layout=layout(flex_flow="row wrap")) for _ in range(3)]
        self._classes, self._others, self._enter = self._boxes
        self._keys = make.Text(description="keys", layout=layout(width="10em"))
        self._keys.style.description_width = "3em"
        self._keys.tooltip = "Click here, then press the keys on the buttons."
        self._keys.observe(self._on_keys, "value")
        # Sent as a whole, and before the click that leaves it.
        self._typed = make.Text(continuous_update=False, layout=layout(width="14em"))
        self._typed.placeholder = "another label"
        self._picture = make.HTML()
        # What is printed and warned of, as by a training.
        self._output = make.Output(layout=layout(max_height="10em", overflow="auto"))
        self._shared = {
            "layout": layout(width="auto", min_width="5em"),
            "style": make.ButtonStyle(),
        }

    def _lay_out(self):
        make, layout = self._make, self._make.Layout
        apart = layout(justify_content="space-between")
        head = make.HBox([self._progress, self._status], layout=apart)
        typed = [self._typed, self._enter] if self.turns.takes_texts else []
        # What is focused is never taken out of the page, or it would lose the focus.
        below = make.HBox(
            [self._others, self._keys, *typed], layout=layout(flex_flow="row wrap")
        )
        self.widget = make.VBox(
            [
                *(head, self._row, self._classes, below),
                *(self._note, self._picture, self._output),
            ],
            layout=layout(max_width="60em"),
        )

    def close(self):
        """Put a line in the place of the panel, and let go of the session."""
        line = self._make.HTML("<i>The labelling goes on in a later panel.</i>")
        self.widget.children = [line]
        self._close_buttons()
        self.turns.end()
        self.turns = None

    def _repr_mimebundle_(self, **options):
        found = self.widget._repr_mimebundle_(**options)
        hint = "A panel of ipywidgets. If there is none: session.panel(front='input')"
        return found | {"text/plain": hint}

    # What a person does

    def _on_keys(self, change):
        if self.turns is None:
            return
        typed = change["new"]
        if typed.startswith(self._prompt):
            # One key; or several, before the first was heard of: then that counts.
            key = typed[len(self._prompt) :][:1].lower()
            if key in self._acts:
                self._do(self._acts[key])
            elif key.strip():
                self._say(f"Nothing has the key {key}.")
        # Else it begins with an earlier turn, and was meant for that row.
        self._keys.value = self._prompt

    def _do(self, act):
        """Do something, and show what came of it."""
        with _LOCK:
            if self.turns is None:
                return
            if time.monotonic() < self._counts_from:
                self._say("That came too soon after the row to be meant for it.")
                return
            with self._output:
                self._output.clear_output()
                turn = self.turns.number
                try:
                    self._disable(True)
                    note = act()
                except Exception as error:
                    # The row stays.
                    note = f"{type(error).__name__}: {error}"
                finally:
                    self._tell("")
                    if self.turns.number == turn:
                        self._disable(False)
                if self.turns.number != turn:
                    self._show()
                    self._counts_from = time.monotonic() + self._pause
                self._say(note)

    def _tell(self, status):
        self._status.value = f"<i>{escape(status)}</i>"

    def _say(self, note):
        style = "white-space: pre-wrap; color: #c62828"
        self._note.value = f'<div style="{style}">{escape(note or "")}</div>'

    # What is shown

    def _show(self):
        """Show the row of the turns, with buttons of its own."""
        turns = self.turns
        self._close_buttons()
        self._row.children = [self._row_widget(turns.content())]
        actions = turns.actions()
        self._classes.children = [self._button(a) for a in actions if a.is_class]
        self._others.children = [self._button(a) for a in actions if not a.is_class]
        self._acts = {action.key: action.act for action in actions if action.key}
        if turns.takes_texts:
            self._typed.value = ""
            typing = turns.typing()
            enter = self._make.Button(description="label", **self._shared)
            enter.on_click(lambda _: self._do(lambda: typing(self._typed.value)))
            self._enter.children = [enter]
        self._progress.value = _progress_line(turns.progress)
        accuracy = turns.session._accuracy
        lines = [accuracy.to_text(), turns.progress.last_round or ""]
        below = "".join(f"<div>{escape(line)}</div>" for line in lines)
        self._picture.value = f"{accuracy.to_svg()}{below}"
        self._prompt = f"{turns.number}> "
        self._keys.value = self._prompt

    def _button(self, action):
        button = self._make.Button(description=action.title, **self._shared)
        button.on_click(lambda _: self._do(action.act))
        return button

    def _buttons(self):
        return [button for box in self._boxes for button in box.children]

    def _close_buttons(self):
        buttons = self._buttons()
        for box in self._boxes:
            box.children = ()
        for button in buttons:
            button.close()

    def _disable(self, is_disabled):
        for button in self._buttons():
            button.disabled = is_disabled

    def _row_widget(self, content):
        if hasattr(content, "to_html"):
            self._html.value = content.to_html()
            return self._html
        if isinstance(content, self._make.Widget):
            return content
        self._object.outputs = ()
        self._object.append_display_data(content)
        return self._object


def _progress_line(progress):
    parts = [f"<b>{progress.n_labeled:,}</b> of {progress.n_pool:,} labelled"]
    for number, what in [
        (progress.n_skipped, "skipped"),
        (progress.n_unsure, "unsure"),
        (progress.n_contradictory, "contradictory"),
    ]:
        parts += [f"{number:,} {what}"] * (number > 0)
    parts.append(f"trainings: {progress.n_trainings}, answers since: {progress.n_new}")
    return " · ".join(parts)
