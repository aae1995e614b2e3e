"""Panels: row after row to label, of widgets in a notebook, or in a terminal.

``_panel`` has the method. Behind ``_widget_panel`` and ``_terminal_panel`` are the
``_turns``, with the keys of ``_answer_keys``, what rows look like in ``_contents`` and
``_pixels``, and how often the model was right in ``_live_accuracy``.
"""
