"""Rows to label in a terminal, one after another."""

from skbadge.labeling.panel._answer_keys import STOP
from skbadge.labeling.panel._turns import Turns


def ask_in_terminal(session, render, annotator):
    """Show rows and ask for keys, until somebody stops.

    Parameters
    ----------
    session : LabelingSession
        Which hands out rows and keeps answers.

    render : None, "image", tuple of int or callable
        How rows are shown.

    annotator : str or None
        Who answers.
    """
    turns = Turns(session, annotator, render, tell=_tell)
    act, line = turns.look, None
    while act is not None:
        turn = turns.number
        try:
            note = act()
        except Exception as error:
            # The row stays.
            note = f"{type(error).__name__}: {error}"
        if note:
            print(note)
        if turns.progress.last_round != line:
            line = turns.progress.last_round
            print(line)
        if turns.number != turn:
            _show(turns)
        act = _ask(turns)
    print(f"Stopped. {turns.progress.n_labeled:,} rows are labelled.")


def _tell(status):
    # What is quick needs no line.
    if status.startswith("training"):
        print(status)


def _show(turns):
    content = turns.content()
    progress = turns.progress
    print(f"\n{progress.n_labeled:,} of {progress.n_pool:,} labelled", end="")
    accuracy = turns.session._accuracy.to_text()
    print(f"; {accuracy}" if accuracy else "")
    print(content.to_text() if hasattr(content, "to_text") else content)


def _ask(turns):
    """What somebody wants to be done; None to stop."""
    actions = turns.actions()
    keys = [action.title for action in actions]
    if turns.takes_texts:
        keys.append("or another label")
    choices = " | ".join([*keys, f"stop [{STOP}]"])
    print(choices)
    acts = {action.name: action.act for action in reversed(actions) if action.is_class}
    acts |= {action.key: action.act for action in reversed(actions) if action.key}
    while True:
        try:
            text = input(f"{turns.number}> ").strip()
        except (EOFError, KeyboardInterrupt):
            return None
        if text == STOP:
            return None
        for each in (text, text.lower()):
            if each in acts:
                return acts[each]
        if text and turns.takes_texts and turns.task is not None:
            typing = turns.typing()
            return lambda: typing(text)
        if text:
            print(f"There is no {text!r} here. Type one of these:\n{choices}")
